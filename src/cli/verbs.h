/* The verbs, one file each beside this one. */
#ifndef TS_VERBS_H
#define TS_VERBS_H
#include "cli/args.h"

int ts_verb_inspect(const ts_verb *verb, int argc, char **argv);
int ts_verb_compile(const ts_verb *verb, int argc, char **argv);
int ts_verb_weights(const ts_verb *verb, int argc, char **argv);
int ts_verb_plan(const ts_verb *verb, int argc, char **argv);
int ts_verb_run(const ts_verb *verb, int argc, char **argv);
int ts_verb_score(const ts_verb *verb, int argc, char **argv);
int ts_verb_simulate(const ts_verb *verb, int argc, char **argv);
int ts_verb_profile(const ts_verb *verb, int argc, char **argv);
int ts_verb_package(const ts_verb *verb, int argc, char **argv);
int ts_verb_export(const ts_verb *verb, int argc, char **argv);
int ts_verb_synth(const ts_verb *verb, int argc, char **argv);
int ts_verb_events(const ts_verb *verb, int argc, char **argv);
int ts_verb_devices(const ts_verb *verb, int argc, char **argv);

#endif
