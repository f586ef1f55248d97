/* The check of attributes against attrs.def: presence, type, number and range, once for all operators. The hooks read what they need
   without looking at these again. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "op/hook.h"

enum { ONE = 1, ANY_NUMBER = 0, RANK = -1, SPATIAL = -2, PADS = -3 }; /* elements */
enum { OPTIONAL = false, NEEDED = true };

typedef struct rule {
    ts_op_kind kind;
    const char *name;
    ts_attr_type type;
    bool needed;
    int elements;
    double low, high;  /* of each number */
    const char *words; /* that a text may be, or NULL */
    const char *hint;  /* what to do about other values, or NULL */
} rule;

#define ANY .low = -INFINITY, .high = INFINITY
#define AT_LEAST(least) .low = (least), .high = INFINITY
#define WITHIN(least, most) .low = (least), .high = (most)
#define FLAG WITHIN(0, 1)
#define SIZE WITHIN(1, INT32_MAX)
#define PADDING WITHIN(0, INT32_MAX)
#define ONLY(value, what) .low = (value), .high = (value), .hint = (what)
#define WORDS(text) .words = (text)
#define PAD_MODES "NOTSET VALID SAME_UPPER SAME_LOWER"
#define NO_BLOCKS "use one scale for the tensor, or one a channel"
#define NO_DECODERS "only encoders, without causal masks, rotations or a cache, are supported"
#define STATISTICS "statistics are computed in float32"

static const rule rules[] = {
#define ATTR(op, name, type, needed, elements, values) {TS_OP_##op, #name, TS_ATTR_##type, needed, elements, values},
#include "op/attrs.def"
#undef ATTR
};
enum { RULES = sizeof rules / sizeof *rules };

/* The first rule of an operator, or where it would stand: the table is in the order of the kinds. */
static int first_rule(ts_op_kind kind)
{
    int low = 0, high = RULES;
    while (low < high) {
        const int mid = (low + high) / 2;
        if (rules[mid].kind < kind)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static const rule *find_rule(ts_op_kind kind, const char *name)
{
    for (int i = first_rule(kind); i < RULES && rules[i].kind == kind; i++)
        if (strcmp(rules[i].name, name) == 0)
            return &rules[i];
    return NULL;
}

static bool unknown_attr(const ts_node *node, const char *name, ts_err *err)
{
    char known[sizeof err->msg] = "none";
    size_t used = 0;
    for (int i = first_rule(ts_kind(node)); i < RULES && rules[i].kind == ts_kind(node) && used < sizeof known; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", used ? " " : "", rules[i].name);
    return ts_node_fail(node, err, "attribute '%s' is not supported; supported: %s", name, known);
}

/* Whether `name` is one of the words of `list`. */
static bool is_word_of(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = list; n && (p = strstr(p, name)); p += n)
        if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == 0))
            return true;
    return false;
}

static bool check_value(const ts_node *node, const rule *r, double value, ts_err *err)
{
    const char *stop = r->hint ? "; " : "", *hint = r->hint ? r->hint : "";
    if (value >= r->low && value <= r->high && (isfinite(value) || r->low == -INFINITY))
        return true;
    if (r->low == -INFINITY && r->high == INFINITY)
        return isnan(value) ? ts_node_fail(node, err, "attribute '%s' is not a number", r->name) : true;
    if (r->low == r->high)
        return ts_node_fail(node, err, "attribute '%s' is %.9g and must be %.9g%s%s", r->name, value, r->low, stop, hint);
    if (r->high == INFINITY || r->high >= INT32_MAX)
        return ts_node_fail(node, err, "attribute '%s' is %.9g and must be at least %.9g%s", r->name, value, r->low,
                            value > r->high ? " and less than 2^31" : "");
    return ts_node_fail(node, err, "attribute '%s' is %.9g and must be between %.9g and %.9g", r->name, value, r->low, r->high);
}

static bool check_attr(const ts_node *node, const rule *r, const ts_attr *attr, ts_err *err)
{
    static const char *const types[] = {[TS_ATTR_INT] = "an integer",           [TS_ATTR_INTS] = "a list of integers",
                                        [TS_ATTR_FLOAT] = "a number (float)",   [TS_ATTR_FLOATS] = "a list of numbers (floats)",
                                        [TS_ATTR_STRING] = "a text (a string)", [TS_ATTR_STRINGS] = "a list of texts",
                                        [TS_ATTR_TENSOR] = "a tensor"};
    if (attr->type != r->type)
        return ts_node_fail(node, err, "attribute '%s' must be %s; it has the wrong type, %s", r->name, types[r->type], types[attr->type]);
    if (r->elements > ONE && attr->count != r->elements)
        return ts_node_fail(node, err, "attribute '%s' has %d values and must have %d", r->name, attr->count, r->elements);
    for (int i = 0; i < attr->count; i++) {
        if (attr->i && !check_value(node, r, (double)attr->i[i], err))
            return false;
        if (attr->f && !check_value(node, r, (double)attr->f[i], err))
            return false;
        if (attr->s && r->words && !is_word_of(r->words, attr->s[i]))
            return ts_node_fail(node, err, "attribute '%s' is '%s'; supported: %s", r->name, attr->s[i], r->words);
    }
    return true;
}

bool ts_attrs_check(const ts_node *node, ts_err *err)
{
    const ts_op_kind kind = ts_kind(node);
    for (int i = 0; i < node->attrs; i++) {
        const rule *r = find_rule(kind, node->attr[i].name);
        if (!r)
            return unknown_attr(node, node->attr[i].name, err);
        if (!check_attr(node, r, &node->attr[i], err))
            return false;
    }
    for (int i = first_rule(kind); i < RULES && rules[i].kind == kind; i++)
        if (rules[i].needed && !ts_attr_find(node, rules[i].name))
            return ts_node_fail(node, err, "attribute '%s' is missing; re-export the model", rules[i].name);
    return true;
}

bool ts_attrs_fit(const ts_node *node, const ts_tensor *first, ts_err *err)
{
    for (int i = 0; first && i < node->attrs; i++) {
        const rule *r = find_rule(ts_kind(node), node->attr[i].name);
        if (!r || r->elements >= 0)
            continue;
        const int spatial = first->rank > 2 ? first->rank - 2 : 0;
        const int need = r->elements == RANK ? first->rank : r->elements == SPATIAL ? spatial : 2 * spatial;
        if (node->attr[i].count != need)
            return ts_node_fail(node, err, "attribute '%s' has %d values; %d are needed for an input of %d dimensions", r->name,
                                node->attr[i].count, need, first->rank);
    }
    return true;
}

bool ts_attrs_are_sorted(void)
{
    for (int i = 1; i < RULES; i++)
        if (rules[i - 1].kind > rules[i].kind || (rules[i - 1].kind == rules[i].kind && strcmp(rules[i - 1].name, rules[i].name) >= 0))
            return false;
    return true;
}
