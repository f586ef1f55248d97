/* Text in memory, written as to a file, without a way to fail unseen. (A memory stream of the C library loses lines when memory
   runs out, and does not set its error flag.) */
#ifndef TS_TEXT_H
#define TS_TEXT_H
#include <stdio.h>

#include "base/arena.h"

typedef struct ts_text {
    FILE *f;    /* write here */
    char *data; /* of the text so far, from malloc; whole after ts_text_close */
    size_t size, room;
} ts_text;

/* Starts an empty text; returns text->f. */
FILE *ts_text_open(ts_text *text);

/* Ends it: its bytes and a NUL behind them, in the arena; text->size of them. */
char *ts_text_close(ts_text *text, ts_arena *arena);

#endif
