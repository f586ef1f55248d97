/* The texts of an exported model. Its functions are templates/, those that the model needs, behind its constants and tables; what runs the
   stages in their order is made for the model.
   In a circle with export/export.h: it is the inside of it. */
#ifndef TS_EXPORT_TEXT_H
#define TS_EXPORT_TEXT_H
#include "export/export.h"
#include "export/form.h"

typedef struct ts_export_text {
    ts_arena *arena;
    const ts_export_model *model;
    const ts_export_form *form;
    const char *name, *upper; /* of functions and types; of constants */
    uint64_t build;           /* of all texts; known behind the first time */
} ts_export_text;

const char *ts_export_c(const ts_export_text *t);
const char *ts_export_h(const ts_export_text *t);
const char *ts_export_cms(const ts_export_text *t); /* NAME_emulator.cpp */

/* Constants and tables of the model; the descriptors of its stages. */
void ts_export_tables(FILE *f, const ts_export_text *t);

/* Embedding, blocks, head and the calls of the header. */
void ts_export_stages(FILE *f, const ts_export_text *t);

/* Of a file that tessera made: it may be replaced. */
#define TS_EXPORT_MARK "Made by tessera export"

const char *ts_linear_form_name(ts_linear_form form); /* "16": the end of its functions' names */

#endif
