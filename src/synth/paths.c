#define TS_FAIL_CODE TS_NO_TOOL
#include "synth/paths.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/map.h"

enum { SMALL_BITS = 3, LUTRAM_WORDS = 64, NONE = -1 };

typedef enum { REGISTER, LOGIC, ADDER, MULTIPLEXER, SINK, INSTANCE } kind;

/* Paths that end somewhere, by how many adders they cross: the most multiplexers among those with so many, NONE where there are none.
   The last entry is for that many adders or more. */
typedef struct arrivals {
    int mux[TS_PATH_ADDERS + 1];
} arrivals;

struct module;

typedef struct cell {
    kind kind;
    json_t *connections, *directions;
    const struct module *of; /* INSTANCE */
    int levels;              /* MULTIPLEXER: of two-way ones */
    bool starts;             /* a read of LUT RAM: a path begins here, too */
    bool sum;                /* ADDER: $add */
    int first;               /* its first node: LOGIC, ADDER and MULTIPLEXER have one; an INSTANCE one an output port */
} cell;

typedef struct port {
    const char *name;
    json_t *bits;
} port;

/* A module's summary. */
typedef struct module {
    const char *name;
    int ins, outs;
    port *in, *out;
    arrivals *through;              /* [ins][outs], without a register on the way */
    arrivals *in_to_reg;            /* [ins] */
    arrivals *reg_to_out;           /* [outs] */
    long long latches, multipliers; /* below it too */
} module;

/* What drives a bit. */
typedef struct driver {
    enum { NOTHING, FROM_INPUT, FROM_REGISTER, FROM_NODE } kind;
    int index; /* of the input port or the node */
} driver;

typedef struct node {
    int cell, out; /* out: port of an INSTANCE's module */
    arrivals at;   /* memo */
    enum { NEW, ACTIVE, DONE } state;
} node;

typedef struct analysis {
    ts_arena *arena;
    const module *self;
    int cells, nodes, bits;
    cell *cell;
    node *node;
    driver *driver; /* [bits] */
    int source;     /* input port, or NONE: registers */
} analysis;

typedef struct checker {
    ts_arena *arena;
    json_t *modules;
    ts_map *done; /* name -> module */
    ts_paths *paths;
    ts_err *err;
} checker;

static bool is_any(const char *type, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(type, *list) == 0)
            return true;
    return false;
}

/* Parameters are strings of binary digits. */
static long parameter(const json_t *c, const char *name)
{
    const json_t *value = json_object_get(json_object_get(c, "parameters"), name);
    return json_is_string(value) ? strtol(json_string_value(value), NULL, 2) : (long)json_integer_value(value);
}

static int log2_ceil(long x)
{
    int bits = 0;
    while (1L << bits < x)
        bits++;
    return bits;
}

/* Bits of a pin that are not constant. */
static int signals(const json_t *connections, const char *pin)
{
    const json_t *bits = json_object_get(connections, pin), *bit;
    int count = 0;
    size_t i;
    json_array_foreach(bits, i, bit) count += json_is_integer(bit);
    return count;
}

static void classify(const json_t *c, const char *type, cell *out)
{
    static const char *const registers[] = {"$dff",   "$dffe",  "$sdff",  "$sdffe",  "$sdffce", "$adff",
                                            "$adffe", "$aldff", "$dffsr", "$dlatch", "$ff",     NULL};
    static const char *const adders[] = {"$add", "$sub", "$neg", "$lt", "$le", "$gt", "$ge", "$mul", "$alu", "$macc", NULL};
    static const char *const shifts[] = {"$shl", "$shr", "$sshl", "$sshr", "$shift", "$shiftx", NULL};
    static const char *const sinks[] = {"$memwr", "$memwr_v2", "$meminit", "$meminit_v2", "$assert", "$assume", "$print", NULL};
    out->kind = LOGIC;
    if (is_any(type, registers)) {
        out->kind = REGISTER;
    } else if (is_any(type, sinks)) {
        out->kind = SINK;
    } else if (strncmp(type, "$memrd", 6) == 0) {
        const int words = log2_ceil(LUTRAM_WORDS), address = signals(out->connections, "ADDR");
        out->kind = parameter(c, "CLK_ENABLE") ? REGISTER : MULTIPLEXER;
        out->levels = 1 + (address > words ? address - words : 0);
        out->starts = true;
    } else if (is_any(type, adders)) {
        const long a = parameter(c, "A_WIDTH"), b = parameter(c, "B_WIDTH");
        out->kind = (a > b ? a : b) > SMALL_BITS ? ADDER : LOGIC;
        out->sum = strcmp(type, "$add") == 0;
    } else if (is_any(type, shifts)) {
        const int most = log2_ceil(parameter(c, "A_WIDTH")), steps = signals(out->connections, "B");
        out->kind = MULTIPLEXER;
        out->levels = steps < most ? steps : most;
    } else if (strcmp(type, "$mux") == 0) {
        out->kind = MULTIPLEXER;
        out->levels = 1;
    } else if (strcmp(type, "$pmux") == 0) {
        out->kind = MULTIPLEXER;
        out->levels = log2_ceil(parameter(c, "S_WIDTH") + 1);
    } else if (strcmp(type, "$bmux") == 0) {
        out->kind = MULTIPLEXER;
        out->levels = (int)parameter(c, "S_WIDTH");
    }
}

static arrivals nowhere(void)
{
    arrivals a;
    for (int i = 0; i <= TS_PATH_ADDERS; i++)
        a.mux[i] = NONE;
    return a;
}

static arrivals here(bool is)
{
    arrivals a = nowhere();
    if (is)
        a.mux[0] = 0;
    return a;
}

static void latest(arrivals *worst, const arrivals *other)
{
    for (int i = 0; i <= TS_PATH_ADDERS; i++)
        worst->mux[i] = other->mux[i] > worst->mux[i] ? other->mux[i] : worst->mux[i];
}

/* Paths of `b` behind those of `a`. */
static arrivals behind(const arrivals *a, const arrivals *b)
{
    arrivals out = nowhere();
    for (int i = 0; i <= TS_PATH_ADDERS; i++)
        for (int j = 0; j <= TS_PATH_ADDERS; j++) {
            const int to = i + j < TS_PATH_ADDERS ? i + j : TS_PATH_ADDERS;
            if (a->mux[i] != NONE && b->mux[j] != NONE && a->mux[i] + b->mux[j] > out.mux[to])
                out.mux[to] = a->mux[i] + b->mux[j];
        }
    return out;
}

static arrivals arrival(analysis *a, int index);

static arrivals bit_arrival(analysis *a, const json_t *bit)
{
    if (!json_is_integer(bit))
        return nowhere();
    const driver *d = &a->driver[json_integer_value(bit)];
    switch (d->kind) {
    case FROM_INPUT:
        return here(d->index == a->source);
    case FROM_REGISTER:
        return here(a->source == NONE);
    case FROM_NODE:
        return arrival(a, d->index);
    case NOTHING:
        break;
    }
    return nowhere();
}

static arrivals bits_arrival(analysis *a, const json_t *bits)
{
    arrivals worst = nowhere();
    size_t i;
    const json_t *bit;
    json_array_foreach(bits, i, bit)
    {
        const arrivals at = bit_arrival(a, bit);
        latest(&worst, &at);
    }
    return worst;
}

static bool is_output(const cell *c, const char *name)
{
    const char *direction = json_string_value(json_object_get(c->directions, name));
    return direction && strcmp(direction, "output") == 0;
}

/* The latest arrivals at any input of a cell of Yosys' own. */
static arrivals inputs_arrival(analysis *a, const cell *c)
{
    arrivals worst = nowhere();
    const char *name;
    json_t *bits;
    json_object_foreach(c->connections, name, bits)
    {
        if (is_output(c, name))
            continue;
        const arrivals at = bits_arrival(a, bits);
        latest(&worst, &at);
    }
    return worst;
}

/* Paths from the source to a node's output; a loop (false on words, whose bits are one node) ends one. */
static arrivals arrival(analysis *a, int index)
{
    node *n = &a->node[index];
    if (n->state != NEW)
        return n->state == DONE ? n->at : nowhere();
    n->state = ACTIVE;
    const cell *c = &a->cell[n->cell];
    arrivals at;
    if (c->kind == INSTANCE) {
        const module *m = c->of;
        at = a->source == NONE ? m->reg_to_out[n->out] : nowhere();
        for (int i = 0; i < m->ins; i++) {
            const arrivals in = bits_arrival(a, json_object_get(c->connections, m->in[i].name));
            const arrivals out = behind(&in, &m->through[i * m->outs + n->out]);
            latest(&at, &out);
        }
    } else {
        at = inputs_arrival(a, c);
        if (c->starts && a->source == NONE && at.mux[0] == NONE)
            at.mux[0] = 0;
        arrivals own = nowhere();
        own.mux[c->kind == ADDER] = c->kind == MULTIPLEXER ? c->levels : 0;
        at = behind(&at, &own);
    }
    n->at = at;
    n->state = DONE;
    return at;
}

/* The latest arrivals at any register, or on paths into an instance that end in one there. */
static arrivals registers_arrival(analysis *a)
{
    arrivals worst = nowhere();
    for (int i = 0; i < a->cells; i++) {
        const cell *c = &a->cell[i];
        if (c->kind == REGISTER || c->kind == SINK) {
            const arrivals at = inputs_arrival(a, c);
            latest(&worst, &at);
        } else if (c->kind == INSTANCE) {
            for (int p = 0; p < c->of->ins; p++) {
                const arrivals in = bits_arrival(a, json_object_get(c->connections, c->of->in[p].name));
                const arrivals at = behind(&in, &c->of->in_to_reg[p]);
                latest(&worst, &at);
            }
        }
    }
    return worst;
}

static void start(analysis *a, int source)
{
    a->source = source;
    for (int i = 0; i < a->nodes; i++)
        a->node[i].state = NEW;
}

static void set_drivers(analysis *a, const json_t *bits, int from, int index)
{
    size_t i;
    const json_t *bit;
    json_array_foreach(bits, i, bit) if (json_is_integer(bit) && json_integer_value(bit) < a->bits) a->driver[json_integer_value(bit)] =
        (driver){from, index};
}

static int max_bit(const json_t *bits, int so_far)
{
    size_t i;
    const json_t *bit;
    json_array_foreach(bits, i, bit) if (json_is_integer(bit) && json_integer_value(bit) >= so_far) so_far =
        (int)json_integer_value(bit) + 1;
    return so_far;
}

static const module *summarise(checker *k, const char *name);

static bool read_cells(checker *k, analysis *a, module *m, json_t *cells)
{
    const char *name;
    json_t *c, *bits;
    a->cells = (int)json_object_size(cells);
    a->cell = TS_NEW_N(a->arena, cell, a->cells);
    int at = 0;
    json_object_foreach(cells, name, c)
    {
        const char *type = json_string_value(json_object_get(c, "type"));
        cell *out = &a->cell[at++];
        *out = (cell){
            .connections = json_object_get(c, "connections"), .directions = json_object_get(c, "port_directions"), .first = a->nodes};
        if (type[0] != '$' || strncmp(type, "$paramod", 8) == 0) {
            out->kind = INSTANCE;
            out->of = summarise(k, type);
            if (!out->of)
                return false;
            m->latches += out->of->latches;
            m->multipliers += out->of->multipliers;
            a->nodes += out->of->outs;
        } else {
            classify(c, type, out);
            m->latches += strstr(type, "latch") != NULL;
            m->multipliers += strcmp(type, "$mul") == 0;
            a->nodes += out->kind == LOGIC || out->kind == ADDER || out->kind == MULTIPLEXER;
        }
        const char *pin;
        json_object_foreach(out->connections, pin, bits) a->bits = max_bit(bits, a->bits);
    }
    return true;
}

static void connect(analysis *a)
{
    a->node = TS_NEW_N(a->arena, node, a->nodes);
    a->driver = TS_NEW_N(a->arena, driver, a->bits);
    for (int i = 0; i < a->self->ins; i++)
        set_drivers(a, a->self->in[i].bits, FROM_INPUT, i);
    for (int i = 0; i < a->cells; i++) {
        const cell *c = &a->cell[i];
        if (c->kind == INSTANCE) {
            for (int o = 0; o < c->of->outs; o++) {
                a->node[c->first + o] = (node){.cell = i, .out = o};
                set_drivers(a, json_object_get(c->connections, c->of->out[o].name), FROM_NODE, c->first + o);
            }
            continue;
        }
        const char *pin;
        json_t *bits;
        if (c->kind != REGISTER && c->kind != SINK)
            a->node[c->first] = (node){.cell = i};
        json_object_foreach(c->connections, pin, bits) if (is_output(c, pin))
            set_drivers(a, bits, c->kind == REGISTER ? FROM_REGISTER : FROM_NODE, c->first);
    }
}

/* One signal at the low end, zeros above it. */
static bool is_lone_bit(const json_t *bits)
{
    size_t i;
    const json_t *bit;
    json_array_foreach(bits, i, bit)
    {
        const bool zero = json_is_string(bit) && strcmp(json_string_value(bit), "0") == 0;
        if (i == 0 ? !json_is_integer(bit) : !zero)
            return false;
    }
    return json_array_size(bits) > 0;
}

static void count_readers(const json_t *bits, int *readers)
{
    size_t i;
    const json_t *bit;
    json_array_foreach(bits, i, bit) if (json_is_integer(bit)) readers[json_integer_value(bit)]++;
}

/* The sum of two words that alone drives all of these bits, with no other reader of them: NULL if there is none. */
static const cell *sum_behind(const analysis *a, const json_t *bits, const int *readers)
{
    const cell *sum = NULL;
    size_t i;
    const json_t *bit;
    json_array_foreach(bits, i, bit)
    {
        const driver *d = json_is_integer(bit) ? &a->driver[json_integer_value(bit)] : NULL;
        if (!d || d->kind != FROM_NODE || readers[json_integer_value(bit)] > 1)
            return NULL;
        const cell *c = &a->cell[a->node[d->index].cell];
        if ((sum && c != sum) || c->kind != ADDER || !c->sum || signals(c->connections, "A") < 2 || signals(c->connections, "B") < 2)
            return NULL;
        sum = c;
    }
    return sum;
}

/* word + word + bit is one carry chain, which the bit enters below: its addition counts as none. */
static void join_carries(analysis *a)
{
    int *readers = TS_NEW_N(a->arena, int, a->bits);
    for (int i = 0; i < a->self->outs; i++)
        count_readers(a->self->out[i].bits, readers);
    for (int i = 0; i < a->cells; i++) {
        const cell *c = &a->cell[i];
        const char *pin;
        json_t *bits;
        json_object_foreach(c->connections, pin, bits) if (!is_output(c, pin)) count_readers(bits, readers);
    }
    for (int i = 0; i < a->cells; i++) {
        cell *c = &a->cell[i];
        if (c->kind != ADDER || !c->sum)
            continue;
        const json_t *x = json_object_get(c->connections, "A"), *y = json_object_get(c->connections, "B");
        if ((is_lone_bit(y) && sum_behind(a, x, readers)) || (is_lone_bit(x) && sum_behind(a, y, readers)))
            c->kind = LOGIC;
    }
}

static void read_ports(ts_arena *arena, module *m, json_t *ports, int *bits)
{
    const char *name;
    json_t *p;
    m->in = TS_NEW_N(arena, port, json_object_size(ports));
    m->out = TS_NEW_N(arena, port, json_object_size(ports));
    json_object_foreach(ports, name, p)
    {
        const bool in = strcmp(json_string_value(json_object_get(p, "direction")), "input") == 0;
        *(in ? &m->in[m->ins++] : &m->out[m->outs++]) = (port){name, json_object_get(p, "bits")};
        *bits = max_bit(json_object_get(p, "bits"), *bits);
    }
}

static const module *summarise(checker *k, const char *name)
{
    module *m = ts_map_get(k->done, name);
    if (m)
        return m;
    json_t *json = json_object_get(k->modules, name);
    if (!json) {
        ts_fail(k->err, "the netlist has no module '%s'", name);
        return NULL;
    }
    m = TS_NEW(k->arena, module);
    m->name = name;
    analysis a = {.arena = ts_arena_new(), .self = m};
    read_ports(k->arena, m, json_object_get(json, "ports"), &a.bits);
    const bool ok = read_cells(k, &a, m, json_object_get(json, "cells"));
    if (ok) {
        connect(&a);
        join_carries(&a);
        m->through = TS_NEW_N(k->arena, arrivals, m->ins * m->outs);
        m->in_to_reg = TS_NEW_N(k->arena, arrivals, m->ins);
        m->reg_to_out = TS_NEW_N(k->arena, arrivals, m->outs);
        for (int i = 0; i < m->ins; i++) {
            start(&a, i);
            m->in_to_reg[i] = registers_arrival(&a);
            for (int o = 0; o < m->outs; o++)
                m->through[i * m->outs + o] = bits_arrival(&a, m->out[o].bits);
        }
        start(&a, NONE);
        for (int o = 0; o < m->outs; o++)
            m->reg_to_out[o] = bits_arrival(&a, m->out[o].bits);
        const arrivals at = registers_arrival(&a);
        const char *plain = strstr(name, "ts_");
        for (int i = 0; i <= TS_PATH_ADDERS; i++)
            if (at.mux[i] > k->paths->with[i].multiplexers) {
                k->paths->with[i].multiplexers = at.mux[i];
                snprintf(k->paths->with[i].module, sizeof k->paths->with[i].module, "%s", plain ? plain : name);
            }
        ts_map_put(k->done, name, m);
    }
    ts_arena_free(a.arena);
    return ok ? m : NULL;
}

bool ts_paths_check(ts_arena *arena, const char *netlist, const char *top, ts_paths *paths, ts_err *err)
{
    ts_arena *scratch = ts_arena_new(); /* a netlist may be larger than what people write */
    size_t size;
    const char *text = ts_file_read(scratch, netlist, &size, err);
    json_t *root = text ? ts_json_parse(netlist, text, size, err) : NULL;
    ts_arena_free(scratch);
    if (!root)
        return false;
    *paths = (ts_paths){.latches = 0};
    for (int i = 0; i <= TS_PATH_ADDERS; i++)
        paths->with[i].multiplexers = NONE;
    checker k = {.arena = arena, .modules = json_object_get(root, "modules"), .done = ts_map_new(arena), .paths = paths, .err = err};
    const module *m = summarise(&k, top);
    if (m) {
        paths->latches = m->latches;
        paths->multipliers = m->multipliers;
    }
    json_decref(root);
    return m != NULL;
}

int ts_paths_adders(const ts_paths *paths, const char **where)
{
    int adders = TS_PATH_ADDERS;
    while (adders > 0 && paths->with[adders].multiplexers == NONE)
        adders--;
    *where = paths->with[adders].module;
    return adders;
}

int ts_paths_depth(const ts_paths *paths, const char **where)
{
    int depth = 0;
    *where = paths->with[0].module;
    for (int i = 0; i <= TS_PATH_ADDERS; i++)
        if (paths->with[i].multiplexers != NONE && i * TS_PATH_ADDER_WEIGHT + paths->with[i].multiplexers > depth) {
            depth = i * TS_PATH_ADDER_WEIGHT + paths->with[i].multiplexers;
            *where = paths->with[i].module;
        }
    return depth;
}
