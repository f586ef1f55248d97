// Latency of an ONNX model in onnxruntime on this machine's processors: node bench/ort.mjs MODEL FEATURES THREADS HITS[,HITS...]
// Prints a JSON list of {hits, median_ms, fastest_ms, runs}. Input values do not matter to the time; they are seeded.
import {createRequire} from 'node:module'
const require = createRequire(process.env.ORT_FROM ?? import.meta.url)
const ort = require('onnxruntime-node')
const [model, features, threads, lengths] = process.argv.slice(2)
const session = await ort.InferenceSession.create(model, {intraOpNumThreads: +threads, interOpNumThreads: 1, graphOptimizationLevel: 'all'})
const rows = []
for (const hits of lengths.split(',').map(Number)) {
    let seed = 1
    const values = Float32Array.from({length: hits * features}, () => (seed = seed * 16807 % 2147483647) / 1073741823.5 - 1)
    const feed = {[session.inputNames[0]]: new ort.Tensor('float32', values, [1, hits, +features])}
    const times = []
    for (let spent = 0, warm = 0; times.length < 5 || (spent < 1500 && times.length < 200);) {
        const start = performance.now()
        await session.run(feed)
        const ms = performance.now() - start
        if (warm++ < 5)
            continue
        times.push(ms)
        spent += ms
    }
    times.sort((a, b) => a - b)
    rows.push({hits, median_ms: times[times.length >> 1], fastest_ms: times[0], runs: times.length})
}
console.log(JSON.stringify({version: ort.env.versions.common, rows}))
