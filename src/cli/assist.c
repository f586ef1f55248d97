#include "cli/assist.h"

#include <stdlib.h>
#include <string.h>

#include "graph/encoder_part.h"
#include "pass/subgraph.h"

/* One end of a range: the cut in front of a stage and the cut behind it, or the embedding or head beyond the first or last cut. */
typedef struct stage {
    int first, end;
    bool embed, head;
} stage;

static bool parse_stage(const char *text, size_t length, bool last, int layers, stage *s)
{
    static const char prefix[] = "layers.";
    char name[64];
    if (length == 0 || length >= sizeof name)
        return false;
    memcpy(name, text, length);
    name[length] = 0;
    if (strcmp(name, "embed") == 0) {
        *s = (stage){0, 0, true, false};
        return true;
    }
    if (strcmp(name, "head") == 0) {
        *s = (stage){2 * layers, 2 * layers, false, true};
        return true;
    }
    const bool full = strncmp(name, prefix, strlen(prefix)) == 0;
    const char *number = full ? name + strlen(prefix) : name;
    char *end = NULL;
    const long n = strtol(number, &end, 10);
    if ((!full && !last) || *number < '0' || *number > '9' || n < 0 || n >= layers)
        return false;
    const int at = 2 * (int)n;
    *s = strcmp(end, ".attention") == 0 ? (stage){at, at + 1, false, false}
         : strcmp(end, ".ffn") == 0     ? (stage){at + 1, at + 2, false, false}
                                        : (stage){at, at + 2, false, false};
    return !*end || *end == '.' ? strcmp(end, "") == 0 || strcmp(end, ".attention") == 0 || strcmp(end, ".ffn") == 0 : false;
}

static bool parse_range(const char *text, const ts_encoder *enc, ts_slice *slice, ts_err *err)
{
    const char *dash = strchr(text, '-');
    stage first, last;
    if (!parse_stage(text, dash ? (size_t)(dash - text) : strlen(text), false, enc->layers, &first))
        return ts_fail(err, "--hardware %s: give FIRST[-LAST], each embed, head, layers.N, layers.N.attention or layers.N.ffn with N from 0 to %d",
                       text, enc->layers - 1);
    last = first;
    if (dash && !parse_stage(dash + 1, strlen(dash + 1), true, enc->layers, &last))
        return ts_fail(err, "--hardware %s: \"%s\" is no stage; the last layer is layers.%d", text, dash + 1, enc->layers - 1);
    *slice = (ts_slice){first.first, last.end, first.embed, last.head};
    return (slice->first < slice->end && !first.head && !last.embed) ||
           ts_fail(err, "--hardware %s: a slice runs forwards and has at least one block of a layer", text);
}

/* The value of the graph at a cut of the recognised encoder. */
static const ts_value *value_at(const ts_recognition *found, int cut, const ts_value *end, bool at_end, ts_err *err)
{
    const ts_value *v = at_end ? end : found->cut[cut];
    if (!v)
        ts_fail(err, "%s: no value of the graph holds the tokens %s alone, so that the host cannot take over there; cut elsewhere",
                found->encoder->name, cut % 2 ? "between a layer's attention and its FFN" : "between two layers");
    return v;
}

/* "layers.2-4", in the names that are parsed. */
static const char *slice_text(ts_arena *arena, ts_slice s)
{
    const int first = s.first / 2, last = (s.end - 1) / 2;
    const char *from = s.embed ? "embed" : ts_printf(arena, "layers.%d%s", first, s.first % 2 ? ".ffn" : s.end == s.first + 1 ? ".attention" : "");
    if (s.head)
        return ts_printf(arena, "%s-head", from);
    if (s.end - s.first <= 2 - s.first % 2 && !s.embed)
        return from;
    return ts_printf(arena, "%s-%s%d%s", from, s.embed ? "layers." : "", last, s.end % 2 ? ".attention" : "");
}

bool ts_assist_choose(ts_arena *arena, const ts_graph *g, const ts_recognition *found, const char *hardware, ts_assist *assist, ts_err *err)
{
    const ts_encoder *enc = found->encoder;
    ts_slice slice = {0, 2 * enc->layers, found->has_embed, found->has_head};
    if (hardware && !parse_range(hardware, enc, &slice, err))
        return false;
    slice.embed = slice.embed && found->has_embed;
    slice.head = slice.head && found->has_head;
    const int first = slice.first / 2, end = (slice.end + 1) / 2;
    const ts_value *from = value_at(found, slice.first, found->from, slice.embed, err), *to = value_at(found, slice.end, found->to, slice.head, err);
    const ts_value *start = from ? value_at(found, 2 * first, found->from, slice.embed, err) : NULL;
    if (!from || !to || !start)
        return false;
    *assist = (ts_assist){.encoder = ts_encoder_part(arena, enc, first, end, slice.embed, slice.head),
                          .slice = {slice.first - 2 * first, slice.end - 2 * first, slice.embed, slice.head},
                          .hardware = slice_text(arena, slice),
                          .tokens = found->tokens};
    const bool keep = enc->mask == TS_MASK_INPUT && enc->mask_keeps;
    if (!ts_host_open(arena, g, from, to, keep, &assist->host, err) || !ts_host_open(arena, g, start, to, keep, &assist->calibrate, err))
        return false;
    assist->front = assist->host.front ? ts_graph_operators(arena, assist->host.front) : "";
    assist->back = assist->host.back ? ts_graph_operators(arena, assist->host.back) : "";
    return true;
}

json_t *ts_assist_json(const ts_assist *a)
{
    json_t *json = json_pack("{s:s, s:s, s:s, s:b, s:s, s:s}", "hardware", a->hardware, "from", a->host.from->name, "to", a->host.to->name,
                             "masks_keep", a->host.masks_keep, "front", a->front, "back", a->back);
    CHECK(json);
    if (a->tokens)
        json_object_set_new(json, "tokens", json_integer((json_int_t)a->tokens));
    return json;
}

bool ts_assist_is(const ts_design *design)
{
    return json_object_get(design->manifest, "host") != NULL;
}

bool ts_assist_host(ts_arena *arena, const ts_design *design, const ts_graph *g, ts_host *host, ts_err *err)
{
    const json_t *json = json_object_get(design->manifest, "host");
    const char *from = json_string_value(json_object_get(json, "from")), *to = json_string_value(json_object_get(json, "to"));
    const ts_value *first = from ? ts_graph_find(g, from) : NULL, *last = to ? ts_graph_find(g, to) : NULL;
    if (!first || !last || first->constant || last->constant)
        return ts_fail(err, "%s: model.onnx is not the model of this design: compile it again", design->dir);
    if (!ts_host_open(arena, g, first, last, json_is_true(json_object_get(json, "masks_keep")), host, err))
        return false;
    return ts_host_width(host) == design->im->features ||
           ts_fail(err, "%s: '%s' of model.onnx has %d values a token, the hardware reads %d: compile the model again", design->dir, from,
                   ts_host_width(host), design->im->features);
}

void ts_assist_print(FILE *out, const ts_assist *a)
{
    fprintf(out, "  %-11s %s", "hardware", a->hardware);
    if (a->tokens)
        fprintf(out, ", %lld tokens", (long long)a->tokens);
    fprintf(out, "\n  %-11s in front: %s; behind: %s\n", "host", *a->front ? a->front : "nothing", *a->back ? a->back : "nothing");
}
