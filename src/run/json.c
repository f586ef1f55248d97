#include "run/json.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/file.h"

enum { DEPTH = 64, MOST = 64 << 20, BLOCK = 256 };

/* Nodes come in blocks, the first of which has the root and, behind it, the copy of the text. */
typedef struct block {
    struct block *next;
    ts_run_json node[BLOCK];
} block;

typedef struct document {
    ts_run_json root; /* at the beginning: freed by it */
    block *blocks;
    int used;
    char *text;
} document;

typedef struct reader {
    document *doc;
    const char *path;
    char *at, *end;
    int depth;
    tessera_error *error;
} reader;

static bool wrong(reader *r, const char *what)
{
    int line = 1;
    for (const char *p = r->doc->text; p < r->at; p++)
        line += *p == '\n';
    return ts_run_fail(r->error, TESSERA_BAD_FILE, "%s:%d: not valid JSON: %s", r->path, line, what);
}

static ts_run_json *new_node(reader *r)
{
    document *d = r->doc;
    if (!d->blocks || d->used == BLOCK) {
        block *more = calloc(1, sizeof *more);
        if (!more) {
            ts_run_fail_memory(r->error, sizeof *more);
            return NULL;
        }
        more->next = d->blocks;
        d->blocks = more;
        d->used = 0;
    }
    return &d->blocks->node[d->used++];
}

static void skip(reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r'))
        r->at++;
}

static int hex(const char *p)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        const char c = p[i];
        const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0)
            return -1;
        value = 16 * value + digit;
    }
    return value;
}

static char *put_utf8(char *to, unsigned c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        *to++ = (char)(0xe0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 63));
        *to++ = (char)(0x80 | (c & 63));
    } else {
        *to++ = (char)(0xf0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 63));
        *to++ = (char)(0x80 | (c >> 6 & 63));
        *to++ = (char)(0x80 | (c & 63));
    }
    return to;
}

/* \uXXXX, or a pair of them; at: behind the u. */
static bool escaped(reader *r, char **to)
{
    int c = r->end - r->at >= 4 ? hex(r->at) : -1;
    r->at += c < 0 ? 0 : 4;
    if (c >= 0xd800 && c < 0xdc00 && r->end - r->at >= 6 && r->at[0] == '\\' && r->at[1] == 'u') {
        const int low = hex(r->at + 2);
        if (low < 0xdc00 || low > 0xdfff)
            return wrong(r, "half a surrogate pair");
        r->at += 6;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    if (c <= 0 || (c >= 0xd800 && c < 0xe000))
        return wrong(r, "a character that there is not");
    *to = put_utf8(*to, (unsigned)c);
    return true;
}

/* In place: what is read is never shorter than what it stands for. at: behind the quote. */
static bool read_text(reader *r, const char **text)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    char *to = r->at;
    *text = to;
    while (r->at < r->end && *r->at != '"') {
        char c = *r->at++;
        if ((unsigned char)c < 0x20)
            return wrong(r, "a text has no end on its line");
        if (c == '\\') {
            c = r->at < r->end ? *r->at++ : 0;
            if (c == 'u') {
                if (!escaped(r, &to))
                    return false;
                continue;
            }
            const char *known = c ? strchr(from, c) : NULL;
            if (!known)
                return wrong(r, "an unknown escape");
            c = into[known - from];
        }
        *to++ = c;
    }
    if (r->at == r->end)
        return wrong(r, "a text has no end");
    r->at++;
    *to = 0;
    return true;
}

static bool read_number(reader *r, double *number)
{
    /* strtod takes more than JSON has. */
    const char *p = r->at;
    p += *p == '-';
    if (*p < '0' || *p > '9' || (*p == '0' && p[1] >= '0' && p[1] <= '9'))
        return wrong(r, "a value was expected");
    while ((*p >= '0' && *p <= '9') || *p == '.' || *p == 'e' || *p == 'E' || ((*p == '+' || *p == '-') && (p[-1] == 'e' || p[-1] == 'E')))
        p++;
    char *end;
    *number = strtod(r->at, &end);
    if (end != p || p[-1] == '.' || *number > 1e300 || *number < -1e300)
        return wrong(r, "a number is malformed");
    r->at = end;
    return true;
}

static bool read_value(reader *r, ts_run_json *v);

static bool read_member(reader *r, ts_run_json *parent, ts_run_json ***tail)
{
    const char *name = NULL;
    skip(r);
    if (parent->kind == TS_RUN_OBJECT) {
        if (r->at == r->end || *r->at++ != '"')
            return wrong(r, "a member's name was expected");
        if (!read_text(r, &name))
            return false;
        for (const ts_run_json *m = parent->first; m; m = m->next)
            if (strcmp(m->name, name) == 0)
                return wrong(r, "a member is there twice");
        skip(r);
        if (r->at == r->end || *r->at++ != ':')
            return wrong(r, "a colon was expected");
        skip(r);
    }
    ts_run_json *v = new_node(r);
    if (!v)
        return false;
    v->name = name;
    v->parent = parent;
    **tail = v;
    *tail = &v->next;
    parent->count++;
    return read_value(r, v);
}

static bool read_members(reader *r, ts_run_json *v, char end)
{
    ts_run_json **tail = &v->first;
    if (++r->depth > DEPTH)
        return wrong(r, "too many values inside of each other");
    r->at++;
    skip(r);
    bool more = r->at == r->end || *r->at != end;
    r->at += !more;
    while (more) {
        if (!read_member(r, v, &tail))
            return false;
        skip(r);
        if (r->at == r->end || (*r->at != ',' && *r->at != end))
            return wrong(r, "a comma or an end was expected");
        more = *r->at++ == ',';
    }
    r->depth--;
    return true;
}

static bool read_value(reader *r, ts_run_json *v)
{
    static const struct {
        const char *word;
        ts_run_json_kind kind;
    } words[] = {{"null", TS_RUN_NULL}, {"false", TS_RUN_FALSE}, {"true", TS_RUN_TRUE}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const size_t length = strlen(words[i].word);
        if ((size_t)(r->end - r->at) >= length && memcmp(r->at, words[i].word, length) == 0) {
            v->kind = words[i].kind;
            r->at += length;
            return true;
        }
    }
    const char c = r->at < r->end ? *r->at : 0;
    v->kind = c == '{' ? TS_RUN_OBJECT : c == '[' ? TS_RUN_LIST : c == '"' ? TS_RUN_TEXT : TS_RUN_NUMBER;
    if (c == '{' || c == '[')
        return read_members(r, v, c == '{' ? '}' : ']');
    if (c != '"')
        return read_number(r, &v->number);
    r->at++;
    return read_text(r, &v->text);
}

static bool read_all(reader *r)
{
    skip(r);
    if (!read_value(r, &r->doc->root))
        return false;
    skip(r);
    if (r->at != r->end)
        return wrong(r, "something is behind the end");
    return r->doc->root.kind == TS_RUN_OBJECT || wrong(r, "the file must hold one object");
}

ts_run_json *ts_run_json_parse(const char *path, const char *text, size_t size, tessera_error *error)
{
    document *doc = calloc(1, sizeof *doc);
    char *copy = doc ? malloc(size + 1) : NULL;
    if (!copy) {
        free(doc);
        ts_run_fail_memory(error, size);
        return NULL;
    }
    memcpy(copy, text, size);
    copy[size] = 0;
    doc->text = copy;
    reader r = {.doc = doc, .path = path, .at = copy, .end = copy + size, .error = error};
    /* Numbers have points, whatever the program's locale has. */
    const locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0), before = c ? uselocale(c) : (locale_t)0;
    const bool ok = c ? read_all(&r) : ts_run_fail_memory(error, 0);
    if (c) {
        uselocale(before);
        freelocale(c);
    }
    if (ok)
        return &doc->root;
    ts_run_json_free(&doc->root);
    return NULL;
}

void ts_run_json_free(ts_run_json *root)
{
    document *doc = (document *)root;
    if (!doc)
        return;
    while (doc->blocks) {
        block *b = doc->blocks;
        doc->blocks = b->next;
        free(b);
    }
    free(doc->text);
    free(doc);
}

ts_run_json *ts_run_json_load(const char *path, tessera_error *error)
{
    size_t size;
    char *text = ts_run_file(path, MOST, &size, error);
    ts_run_json *root = text ? ts_run_json_parse(path, text, size, error) : NULL;
    free(text);
    return root;
}

const ts_run_json *ts_run_json_get(const ts_run_json *object, const char *name)
{
    if (!object || object->kind != TS_RUN_OBJECT)
        return NULL;
    const ts_run_json *m = object->first;
    while (m && strcmp(m->name, name) != 0)
        m = m->next;
    return m;
}

const char *ts_run_json_text(const ts_run_json *object, const char *name)
{
    const ts_run_json *m = ts_run_json_get(object, name);
    return m && m->kind == TS_RUN_TEXT ? m->text : NULL;
}

bool ts_run_json_true(const ts_run_json *object, const char *name)
{
    const ts_run_json *m = ts_run_json_get(object, name);
    return m && m->kind == TS_RUN_TRUE;
}

bool ts_run_json_int(const ts_run_json *object, const char *name, long long least, long long most, long long *value)
{
    const ts_run_json *m = ts_run_json_get(object, name);
    if (!m || m->kind != TS_RUN_NUMBER || m->number < (double)least || m->number > (double)most)
        return false;
    *value = (long long)m->number;
    return (double)*value >= m->number && (double)*value <= m->number;
}
