#include "synth/paths.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"

enum { SMALL_BITS = 3, NONE = -1 };

typedef enum { REGISTER, LOGIC, ADDER, MEMORY_READ, SINK, INSTANCE } kind;

struct module;

typedef struct cell {
    kind kind;
    json_t *connections, *directions;
    const struct module *of; /* INSTANCE */
    int first;               /* its first node: LOGIC, ADDER and MEMORY_READ have one; an INSTANCE one an output port */
} cell;

typedef struct port {
    const char *name;
    json_t *bits;
} port;

/* A module's summary: adder levels, NONE where there is no such path. */
typedef struct module {
    const char *name;
    int ins, outs;
    port *in, *out;
    int *through;  /* [ins][outs], without a register on the way */
    int *in_to_reg; /* [ins] */
    int *reg_to_out; /* [outs] */
    long long latches, multipliers; /* below it too */
} module;

/* What drives a bit. */
typedef struct driver {
    enum { NOTHING, FROM_INPUT, FROM_REGISTER, FROM_NODE } kind;
    int index; /* of the input port or the node */
} driver;

typedef struct node {
    int cell, out; /* out: port of an INSTANCE's module */
    int level;     /* memo */
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

static kind kind_of(const json_t *c, const char *type)
{
    static const char *const registers[] = {"$dff", "$dffe", "$sdff", "$sdffe", "$sdffce", "$adff", "$adffe", "$aldff", "$dffsr", "$dlatch", "$ff", NULL};
    static const char *const adders[] = {"$add", "$sub", "$neg", "$lt", "$le", "$gt", "$ge", "$mul", "$alu", "$macc", NULL};
    static const char *const sinks[] = {"$memwr", "$memwr_v2", "$meminit", "$meminit_v2", "$assert", "$assume", "$print", NULL};
    if (is_any(type, registers))
        return REGISTER;
    if (is_any(type, sinks))
        return SINK;
    if (strncmp(type, "$memrd", 6) == 0)
        return parameter(c, "CLK_ENABLE") ? REGISTER : MEMORY_READ;
    if (is_any(type, adders)) {
        const long a = parameter(c, "A_WIDTH"), b = parameter(c, "B_WIDTH");
        return (a > b ? a : b) > SMALL_BITS ? ADDER : LOGIC;
    }
    return LOGIC;
}

static int arrival(analysis *a, int index);

static int bit_arrival(analysis *a, const json_t *bit)
{
    if (!json_is_integer(bit))
        return NONE;
    const driver *d = &a->driver[json_integer_value(bit)];
    switch (d->kind) {
    case FROM_INPUT: return d->index == a->source ? 0 : NONE;
    case FROM_REGISTER: return a->source == NONE ? 0 : NONE;
    case FROM_NODE: return arrival(a, d->index);
    case NOTHING: return NONE;
    }
    return NONE;
}

static int bits_arrival(analysis *a, const json_t *bits)
{
    int worst = NONE;
    size_t i;
    const json_t *bit;
    json_array_foreach(bits, i, bit)
    {
        const int level = bit_arrival(a, bit);
        worst = level > worst ? level : worst;
    }
    return worst;
}

static bool is_output(const cell *c, const char *name)
{
    const char *direction = json_string_value(json_object_get(c->directions, name));
    return direction && strcmp(direction, "output") == 0;
}

/* The latest arrival at any input of a cell of Yosys' own. */
static int inputs_arrival(analysis *a, const cell *c)
{
    int worst = NONE;
    const char *name;
    json_t *bits;
    json_object_foreach(c->connections, name, bits)
    {
        const int level = is_output(c, name) ? NONE : bits_arrival(a, bits);
        worst = level > worst ? level : worst;
    }
    return worst;
}

/* Longest path, in adders, from the source to a node's output; a loop (false on words, whose bits are one node) ends it. */
static int arrival(analysis *a, int index)
{
    node *n = &a->node[index];
    if (n->state != NEW)
        return n->state == DONE ? n->level : NONE;
    n->state = ACTIVE;
    const cell *c = &a->cell[n->cell];
    int level;
    if (c->kind == INSTANCE) {
        const module *m = c->of;
        level = a->source == NONE ? m->reg_to_out[n->out] : NONE;
        for (int i = 0; i < m->ins; i++) {
            const int through = m->through[i * m->outs + n->out];
            const int at = through == NONE ? NONE : bits_arrival(a, json_object_get(c->connections, m->in[i].name));
            if (at != NONE && at + through > level)
                level = at + through;
        }
    } else {
        level = inputs_arrival(a, c);
        if (c->kind == MEMORY_READ && a->source == NONE && level < 0)
            level = 0;
        if (level != NONE && c->kind == ADDER)
            level++;
    }
    n->level = level;
    n->state = DONE;
    return level;
}

/* The latest arrival at any register, or on a path into an instance that ends in one there. */
static int registers_arrival(analysis *a)
{
    int worst = NONE;
    for (int i = 0; i < a->cells; i++) {
        const cell *c = &a->cell[i];
        int level = NONE;
        if (c->kind == REGISTER || c->kind == SINK)
            level = inputs_arrival(a, c);
        else if (c->kind == INSTANCE)
            for (int p = 0; p < c->of->ins; p++) {
                const int to = c->of->in_to_reg[p];
                const int at = to == NONE ? NONE : bits_arrival(a, json_object_get(c->connections, c->of->in[p].name));
                if (at != NONE && at + to > level)
                    level = at + to;
            }
        worst = level > worst ? level : worst;
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
    json_array_foreach(bits, i, bit) if (json_is_integer(bit) && json_integer_value(bit) < a->bits)
        a->driver[json_integer_value(bit)] = (driver){from, index};
}

static int max_bit(const json_t *bits, int so_far)
{
    size_t i;
    const json_t *bit;
    json_array_foreach(bits, i, bit) if (json_is_integer(bit) && json_integer_value(bit) >= so_far) so_far = (int)json_integer_value(bit) + 1;
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
        *out = (cell){.connections = json_object_get(c, "connections"), .directions = json_object_get(c, "port_directions"), .first = a->nodes};
        if (type[0] != '$' || strncmp(type, "$paramod", 8) == 0) {
            out->kind = INSTANCE;
            out->of = summarise(k, type);
            if (!out->of)
                return false;
            m->latches += out->of->latches;
            m->multipliers += out->of->multipliers;
            a->nodes += out->of->outs;
        } else {
            out->kind = kind_of(c, type);
            m->latches += strstr(type, "latch") != NULL;
            m->multipliers += strcmp(type, "$mul") == 0;
            a->nodes += out->kind == LOGIC || out->kind == ADDER || out->kind == MEMORY_READ;
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
        m->through = TS_NEW_N(k->arena, int, m->ins * m->outs);
        m->in_to_reg = TS_NEW_N(k->arena, int, m->ins);
        m->reg_to_out = TS_NEW_N(k->arena, int, m->outs);
        for (int i = 0; i < m->ins; i++) {
            start(&a, i);
            m->in_to_reg[i] = registers_arrival(&a);
            for (int o = 0; o < m->outs; o++)
                m->through[i * m->outs + o] = bits_arrival(&a, m->out[o].bits);
        }
        start(&a, NONE);
        for (int o = 0; o < m->outs; o++)
            m->reg_to_out[o] = bits_arrival(&a, m->out[o].bits);
        const int levels = registers_arrival(&a);
        if (levels > k->paths->levels) {
            const char *plain = strstr(name, "ts_");
            k->paths->levels = levels;
            snprintf(k->paths->module, sizeof k->paths->module, "%s", plain ? plain : name);
        }
        ts_map_put(k->done, name, m);
    }
    ts_arena_free(a.arena);
    return ok ? m : NULL;
}

bool ts_paths_check(ts_arena *arena, const char *netlist, const char *top, ts_paths *paths, ts_err *err)
{
    json_error_t where;
    json_t *root = json_load_file(netlist, 0, &where);
    if (!root)
        return ts_fail(err, "%s: %s", netlist, where.text);
    *paths = (ts_paths){.levels = 0};
    checker k = {.arena = arena, .modules = json_object_get(root, "modules"), .done = ts_map_new(arena), .paths = paths, .err = err};
    const module *m = summarise(&k, top);
    if (m) {
        paths->latches = m->latches;
        paths->multipliers = m->multipliers;
    }
    json_decref(root);
    return m != NULL;
}
