// Results of an ONNX model in onnxruntime: node test/e2e/ort.mjs MODEL EVENTS.f32 HITS FEATURES RESULTS.f32
// EVENTS: events of HITS hits of FEATURES values, single precision, little-endian; RESULTS: the same of what the model makes. Prints the version.
// HITS: of every event, or a list of those of each: 93,214,89.
import {createRequire} from 'node:module'
import {readFileSync, writeFileSync} from 'node:fs'
const require = createRequire(process.env.ORT_FROM ?? import.meta.url)
const ort = require('onnxruntime-node')
const [model, events, hits, features, results] = process.argv.slice(2)
const session = await ort.InferenceSession.create(model, {graphOptimizationLevel: 'all'})
const bytes = readFileSync(events), values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4), lengths = hits.split(',')
const parts = []
for (let at = 0, event = 0; at < values.length; event++) {
    const tokens = +lengths[event % lengths.length], size = tokens * features
    const feed = {[session.inputNames[0]]: new ort.Tensor('float32', values.slice(at, at + size), [1, tokens, +features])}
    at += size
    parts.push(Buffer.from((await session.run(feed))[session.outputNames[0]].data.slice().buffer))
}
writeFileSync(results, Buffer.concat(parts))
console.log(ort.env.versions.common)
