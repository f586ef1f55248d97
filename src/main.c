/* tessera: a trained Transformer (ONNX) becomes FPGA hardware. The command line of the library that include/tessera/tessera.h describes;
   src/flow/compile.c has the whole system, step by step. */
#include <stdio.h>
#include <string.h>
#include <tessera/tessera.h>

#include "cli/process.h"
#include "cli/verbs.h"

static const ts_verb verbs[] = {
    {"inspect", "MODEL.onnx", "Says what a model computes and whether tessera can build it.", "", ts_verb_inspect},
    {"compile", "MODEL.onnx", "Turns a trained model into hardware for one device or several: Verilog, memory images, test bench, report.",
     "DIR gets rtl/, mem/, tb/, manifest.json, model.tsm (the integer model), report.json and copies of the model and its inputs file.",
     ts_verb_compile},
    {"weights", "MODEL.onnx DIR", "Makes another model's weights, of the same shape, for a compiled design: a file to load at run time.",
     "The model is quantised in the design's formats, and every accumulator is proved again. Values of events are as those of compile. "
     "run, "
     "simulate\nand package take the file with --weights. docs/weights.md has the file and how it is loaded.",
     ts_verb_weights},
    {"plan", "DIR", "Predicts latency, interval and resources of a compiled design for any number of hits.", "", ts_verb_plan},
    {"run", "DIR|MODEL.onnx", "Runs events through the float model, the integer model or the simulated hardware.",
     "Values of events, .csv or .npy, are raw: where there is an inputs file (a design has its own) they become (value - mean) / std; of "
     "values\n"
     "that are so already say --standardised. Exit status 3: done, but some events have more hits than the design takes and were refused.",
     ts_verb_run},
    {"score", "[LABEL=]OUT.csv[@INPUTS.json][,...]",
     "Scores results as tracks: trackml, perfect, double majority and lhc, with standard errors over events.",
     "Items of the list, without spaces, are results files, or, for comparison, baseline:angles (no model: hits' own angles, clustered),\n"
     "baseline:truth (truth parameters, clustered), baseline:binned (hits' own angles in the classifier's bins) and baseline:classes "
     "(truth in\n"
     "the classifier's bins). An item's own @INPUTS.json comes before --inputs. docs/scores.md has the definitions.",
     ts_verb_score},
    {"simulate", "DIR", "Simulates the generated hardware on events and compares every output word with the integer model.",
     "Exit status 0 only if every event was compared and every word agrees; 3 if some were refused, having too many hits. Figures go to "
     "DIR/report.json.",
     ts_verb_simulate},
    {"profile", "DIR", "Shows what integer formats do to each tensor: ranges, saturation, signal to noise.",
     "Runs the float and the integer model on the events. SNR: variance of the float values over the mean square error, all errors before\n"
     "included; alone: the rounding of that format by itself. Goes to DIR/report.json, too.",
     ts_verb_profile},
    {"synth", "DIR", "Synthesises the design with Yosys and compares the resources with the prediction.", "", ts_verb_synth},
    {"package", "DIR", "Puts a top for a board around a compiled design: AXI streams, registers, clocks, a test bench of all that.",
     "OUT gets rtl/, mem/, tb/, the registers for programs and people, and what the target needs. A design on several devices is packaged "
     "part "
     "by\npart: DIR/part0, DIR/part1 ... docs/boards.md has the map and the way to a board.",
     ts_verb_package},
    {"export", "DIR", "Writes the integer model of a compiled design as C that needs nothing else, bit for bit what the hardware computes.",
     "OUT gets NAME.c and NAME.h, C99 and C++, weights inside; docs/exported-c.md goes through them.", ts_verb_export},
    {"events", NULL, "Generates events of a simulated tracking detector, with truth, as a CSV.",
     "Defaults: pT = 0.15 + Exp(0.45) GeV, |eta| < 4, vertices of 5.5 mm spread; first half turn, tracks of at least 3 hits. "
     "docs/events.md has\n"
     "the formulas. The same options give the same bytes on every machine.",
     ts_verb_events},
    {"devices", NULL, "Lists the devices that tessera knows.", "", ts_verb_devices},
};

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(name, verbs[i].name) == 0) {
            ts_cli_begin();
            return ts_cli_end(name, verbs[i].run(&verbs[i], argc - 1, argv + 1));
        }
    const bool asked = strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0;
    FILE *out = asked ? stdout : stderr;
    if (*name && !asked)
        fprintf(out, "tessera: unknown verb '%s'\n\n", name);
    fprintf(out, "Usage: tessera VERB ...   (tessera VERB --help says more)\n\n");
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        fprintf(out, "  %-9s %s\n", verbs[i].name, verbs[i].summary);
    fprintf(out, "\nExit status: 0 success, 3 some events were refused");
    for (int code = TESSERA_FAILED; code <= TESSERA_INTERNAL; code++)
        if (code != TS_CLI_REFUSED)
            fprintf(out, ", %d %s", code, tessera_code_name((tessera_code)code));
    fprintf(out, ".\n");
    return ts_cli_end("", asked ? 0 : TESSERA_USAGE);
}
