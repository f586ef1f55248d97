#include "board/xml.h"

void ts_xml_escape(FILE *f, const char *text)
{
    for (; *text; text++)
        if (*text == '<' || *text == '&' || *text == '"' || *text == '>')
            fprintf(f, "&#%d;", *text);
        else
            fputc(*text, f);
}

static void indent(const ts_xml *x)
{
    fprintf(x->f, "%*s", 2 * x->depth, "");
}

void ts_xml_open(ts_xml *x, const char *name, const char *attributes)
{
    indent(x);
    fprintf(x->f, "<%s%s%s>\n", x->prefix, name, attributes);
    x->depth++;
}

void ts_xml_close(ts_xml *x, const char *name)
{
    x->depth--;
    indent(x);
    fprintf(x->f, "</%s%s>\n", x->prefix, name);
}

void ts_xml_empty(ts_xml *x, const char *name, const char *attributes)
{
    indent(x);
    fprintf(x->f, "<%s%s%s/>\n", x->prefix, name, attributes);
}

void ts_xml_leaf(ts_xml *x, const char *name, const char *attributes, const char *text)
{
    indent(x);
    fprintf(x->f, "<%s%s%s>", x->prefix, name, attributes);
    ts_xml_escape(x->f, text);
    fprintf(x->f, "</%s%s>\n", x->prefix, name);
}

void ts_xml_text(ts_xml *x, const char *name, const char *text)
{
    ts_xml_leaf(x, name, "", text);
}

void ts_xml_number(ts_xml *x, const char *name, long long value)
{
    indent(x);
    fprintf(x->f, "<%s%s>%lld</%s%s>\n", x->prefix, name, value, x->prefix, name);
}
