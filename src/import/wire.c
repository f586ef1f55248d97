#define TS_FAIL_CODE TS_BAD_FILE
#include "import/onnx_read.h"

enum {
    MAX_DEPTH = 48,      /* of nested messages; a model with subgraphs in functions has about 12 */
    MAX_PARTS = 2000000, /* messages and strings; a model of 100,000 nodes has about a million */
    VARINT = 0,
    FIXED64 = 1,
    LENGTH = 2,
    FIXED32 = 5,
};

typedef struct cursor {
    const uint8_t *at, *end;
} cursor;

static bool read_varint(cursor *c, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; shift < 64 && c->at < c->end; shift += 7) {
        uint8_t byte = *c->at++;
        *value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return true;
    }
    return false;
}

static bool skip(cursor *c, uint64_t count)
{
    if (count > (uint64_t)(c->end - c->at))
        return false;
    c->at += count;
    return true;
}

static bool check(const ProtobufCMessageDescriptor *type, cursor c, int depth, long *parts, ts_err *err)
{
    if (depth > MAX_DEPTH)
        return ts_fail(err, "the file nests its parts more than %d levels deep; it is damaged or not a model", MAX_DEPTH);
    while (c.at < c.end) {
        uint64_t key, length = 0;
        if (!read_varint(&c, &key))
            return ts_fail(err, "the file is truncated or damaged (inside a %s)", type->short_name);
        unsigned wire = key & 7;
        bool ok = wire == VARINT    ? read_varint(&c, &length)
                  : wire == FIXED64 ? skip(&c, 8)
                  : wire == FIXED32 ? skip(&c, 4)
                  : wire == LENGTH  ? read_varint(&c, &length) && length <= (uint64_t)(c.end - c.at)
                                    : false;
        if (!ok || key >> 3 == 0 || key >> 3 > 0x1fffffff)
            return ts_fail(err, "the file is truncated or damaged (inside a %s)", type->short_name);
        if (wire != LENGTH)
            continue;
        const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(type, (unsigned)(key >> 3));
        if (++*parts > MAX_PARTS)
            return ts_fail(err, "the file has more than %d parts; it is damaged or not a model", MAX_PARTS);
        if (field && field->type == PROTOBUF_C_TYPE_MESSAGE &&
            !check(field->descriptor, (cursor){c.at, c.at + length}, depth + 1, parts, err))
            return false;
        c.at += length;
    }
    return true;
}

static void *arena_alloc(void *arena, size_t size)
{
    return ts_alloc(arena, size, 1);
}

/* The memory goes with the arena. */
static void arena_free(void *arena, void *memory)
{
}

ProtobufCAllocator ts_proto_allocator(ts_arena *arena)
{
    return (ProtobufCAllocator){arena_alloc, arena_free, arena};
}

bool ts_wire_check(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t size, ts_err *err)
{
    long parts = 0;
    return check(type, (cursor){data, data + size}, 0, &parts, err);
}
