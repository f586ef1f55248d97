/* XML, written element by element: indented, escaped. */
#ifndef TS_XML_H
#define TS_XML_H
#include <stdio.h>

typedef struct ts_xml {
    FILE *f;
    const char *prefix; /* of the names of elements: "spirit:", or "" */
    int depth;
} ts_xml;

/* Text, or a value of an attribute. */
void ts_xml_escape(FILE *f, const char *text);

/* attributes: as they are printed, " a=\"b\"" each, or "". */
void ts_xml_open(ts_xml *x, const char *name, const char *attributes);
void ts_xml_close(ts_xml *x, const char *name);
void ts_xml_empty(ts_xml *x, const char *name, const char *attributes);

/* An element that has nothing but text, or a number. */
void ts_xml_leaf(ts_xml *x, const char *name, const char *attributes, const char *text);
void ts_xml_text(ts_xml *x, const char *name, const char *text);
void ts_xml_number(ts_xml *x, const char *name, long long value);

#endif
