/* The beginning and the end of the process: what a verb cannot do for itself. */
#ifndef TS_CLI_PROCESS_H
#define TS_CLI_PROCESS_H

/* From here on running out of memory, and signals that end the process, remove what is half written; the former says what was wanted and
   ends with exit status 1. verb: for messages. */
void ts_cli_begin(const char *verb);

/* The exit status: `status`, or 1 with a message where something that was printed did not get out. */
int ts_cli_end(const char *verb, int status);

#endif
