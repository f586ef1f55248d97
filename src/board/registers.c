#include "board/registers.h"

#include <string.h>

const char *ts_register_access_name(ts_register_access access)
{
    static const char *const names[] = {"constant", "read only", "read, write", "write: a pulse", "read, write ones to clear"};
    return names[access];
}

static void add(ts_registers *r, ts_register row)
{
    CHECK(r->count < TS_REGISTER_MAX && (r->count == 0 || row.address > r->list[r->count - 1].address) && row.address < TS_REGISTER_BYTES);
    r->list[r->count++] = row;
}

static void add_field(ts_registers *r, ts_register_field field)
{
    const ts_register *of = &r->list[r->count - 1];
    CHECK(r->fields < TS_FIELD_MAX && strcmp(of->name, field.of) == 0 && field.lsb + field.bits <= 32);
    r->field[r->fields++] = field;
}

static uint32_t capabilities(const ts_board *b)
{
    return (uint32_t)b->paged << TS_AT_CAPABILITIES_PAGED | (uint32_t)b->argmax << TS_AT_CAPABILITIES_ARGMAX |
           (uint32_t)b->pooled << TS_AT_CAPABILITIES_POOLED | (uint32_t)b->takes_hits << TS_AT_CAPABILITIES_FIRST |
           (uint32_t)b->gives_results << TS_AT_CAPABILITIES_LAST | (uint32_t)b->rings << TS_AT_CAPABILITIES_RINGS |
           (uint32_t)b->loads << TS_AT_CAPABILITIES_LOADS | (uint32_t)b->links << TS_AT_CAPABILITIES_LINKS |
           (uint32_t)b->loaders << TS_AT_CAPABILITIES_LOADERS | (uint32_t)b->status_word << TS_AT_CAPABILITIES_STATUS_WORD |
           (uint32_t)b->parity << TS_AT_CAPABILITIES_PARITY;
}

const ts_registers *ts_registers_of(ts_arena *arena, const ts_board *b)
{
    ts_registers *r = TS_NEW(arena, ts_registers);
    bool has = false; /* the row above */
#define value_CONSTANT(source) (source)
#define value_CONTROL(source) (source)
#define value_COMMAND(source) 0
#define value_STATUS(source) 0
#define value_STICKY(source) 0
#define REGISTER(at, id, how, width, source, when, text) \
    if ((has = (when))) \
        add(r, (ts_register){#id, at, TS_REGISTER_##how, width, value_##how(source), #source, text});
#define FIELD(register, id, bit, width, text) \
    if (has) \
        add_field(r, (ts_register_field){#register, #id, bit, width, text});
#define COUNTER(at, id, number, text) \
    add(r, (ts_register){#id "_LO", at, TS_REGISTER_STATUS, 32, 0, "counters[64*" #number " +: 32]", text ": lower half, as latched"}); \
    add(r, (ts_register){#id "_HI", (at) + 4, TS_REGISTER_STATUS, 32, 0, "counters[64*" #number "+32 +: 32]", "upper half"});
#include "board/registers.def"
    return r;
}
