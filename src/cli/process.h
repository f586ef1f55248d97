/* The beginning and the end of the process: what a verb cannot do for itself. */
#ifndef TS_CLI_PROCESS_H
#define TS_CLI_PROCESS_H

/* From here on signals that end the process remove what is half written. */
void ts_cli_begin(void);

/* The exit status: `status`, or TESSERA_NOT_WRITTEN with a message where something that was printed did not get out. */
int ts_cli_end(const char *verb, int status);

#endif
