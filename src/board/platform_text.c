/* What a board's project and its driver agree on: addresses, interrupts, sizes of buffers, dies. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "board/package_target.h"
#include "board/platform.h"

enum { LENGTH_LEAST = 14, LENGTH_MOST = 26 }; /* bits of the DMA's length register, PG021 */
static const double die_share = 0.8;          /* of a die, at most: as --utilisation */

const char *ts_platform_images(const ts_board *b)
{
    return b->rings == 1 ? "mem/" : NULL;
}

bool ts_platform_has(const ts_board *b, ts_bus_kind kind)
{
    for (int i = 0; i < b->buses; i++)
        if (b->bus[i].kind == kind)
            return true;
    return false;
}

ts_platform ts_platform_of(const ts_board *b)
{
    const bool ultra = b->device->board.processor && strcmp(b->device->board.processor, "zynq_ultra_ps_e") == 0;
    const int bytes = b->bus_bits / 8;
    /* As rtl/ts_axis_in.v and ts_axis_out.v have them: so many items a word, or words an item. */
    const int hit = b->features * b->ports.hit_lane, out = b->ports.lanes * b->ports.out_lane;
    const int items[] = {b->max_tokens, (b->pooled ? 1 : b->max_tokens) * b->ports.beats}, bits[] = {hit, out};
    long long most[2];
    for (int i = 0; i < 2; i++) {
        most[i] = 0;
        if (!ts_platform_has(b, i ? TS_BUS_RESULTS : TS_BUS_HITS))
            continue;
        int slot = 8;
        while (slot < bits[i] && slot < b->bus_bits)
            slot *= 2;
        const int words = (bits[i] + b->bus_bits - 1) / b->bus_bits, per = b->bus_bits / slot;
        most[i] = (long long)bytes * (words > 1 ? (long long)items[i] * words : (items[i] + per - 1) / per);
    }
    most[1] += most[1] && b->status_word ? bytes : 0;
    ts_platform p = {.control = ultra ? 0xA0000000 : 0x40000000,
                     .dma = ultra ? 0xA0010000 : 0x40010000,
                     .address_bits = ultra ? 40 : 32,
                     .first_interrupt = ultra ? 89 : 29,
                     .hit_bytes = most[0],
                     .result_bytes = most[1],
                     .length_bits = LENGTH_LEAST};
    while (p.length_bits < LENGTH_MOST && (1LL << p.length_bits) <= most[0] + most[1])
        p.length_bits++;
    return p;
}

static const char *quoted(ts_arena *arena, const char *text)
{
    return text ? ts_printf(arena, "{%s}", text) : "{}";
}

const char *ts_platform_settings(ts_arena *arena, const ts_board *b)
{
    const ts_platform p = ts_platform_of(b);
    const ts_device_board *board = &b->device->board;
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(f,
            "# What the scripts beside this one know of %s. Made by tessera.\n"
            "set top %s\nset device %s\nset part %s\nset processor %s\nset board_parts {",
            b->top, b->top, b->device->name, b->device->part, quoted(arena, board->processor));
    for (int i = 0; i < board->parts; i++)
        fprintf(f, "%s%s", i ? " " : "", board->part[i]);
    fprintf(f,
            "}\nset board_connections %s\nset bus_mhz %g\nset engine_mhz %g\nset stream_bits %d\nset images %s\nset takes_hits %d\nset "
            "gives_results %d\n"
            "# Registers, bytes; bits of the DMA's length register, which takes the longest event of %lld and its results of %lld bytes\n"
            "set control_base 0x%08X\nset dma_base 0x%08X\nset address_bits %d\nset length_bits %d\nset page_interfaces {",
            quoted(arena, board->connections), b->clock[TS_CLOCK_BUS].mhz, b->clock[TS_CLOCK_ENGINE].mhz, b->bus_bits,
            quoted(arena, ts_platform_images(b)), ts_platform_has(b, TS_BUS_HITS), ts_platform_has(b, TS_BUS_RESULTS), p.hit_bytes,
            p.result_bytes, p.control, p.dma, p.address_bits, p.length_bits);
    for (int i = 0, n = 0; i < b->buses; i++)
        if (b->bus[i].kind == TS_BUS_PAGES)
            fprintf(f, "%s%s", n++ ? " " : "", b->bus[i].name);
    fprintf(f, "}\n# Interface, mode, clock, MHz, and what says that it is up, of each end of a link\nset links {");
    for (int i = 0; i < b->buses; i++)
        if (b->bus[i].kind == TS_BUS_LINK_IN || b->bus[i].kind == TS_BUS_LINK_OUT)
            fprintf(f, "%s %s %s %g link%d_up ", b->bus[i].name, b->bus[i].master ? "Master" : "Slave", b->clock[b->bus[i].clock].name,
                    b->clock[b->bus[i].clock].mhz, b->bus[i].number);
    fprintf(f, "}\n");
    return ts_text_close(&text, arena);
}

const char *ts_platform_json(ts_arena *arena, const ts_board *b)
{
    const ts_platform p = ts_platform_of(b);
    json_t *json = json_pack(
        "{s:s, s:s, s:{s:I, s:I, s:I, s:I}, s:{s:i, s:i, s:i, s:i}, s:{s:I, s:I}, s:i, s:b}", "top", b->top, "device", b->device->name,
        "addresses", "engine", (json_int_t)p.control, "engine_bytes", (json_int_t)TS_REGISTER_BYTES, "dma", (json_int_t)p.dma, "dma_bytes",
        (json_int_t)0x10000, "interrupts", "first_spi", p.first_interrupt, "hits", 0, "results", ts_platform_has(b, TS_BUS_HITS), "engine",
        ts_platform_has(b, TS_BUS_HITS) + ts_platform_has(b, TS_BUS_RESULTS), "most_bytes", "hits", (json_int_t)p.hit_bytes, "results",
        (json_int_t)p.result_bytes, "stream_bits", b->bus_bits, "status_word", b->status_word);
    const char *text = ts_json_text(arena, json, JSON_INDENT(2));
    json_decref(json);
    return ts_printf(arena, "%s\n", text);
}

const char *ts_platform_c(ts_arena *arena, const ts_board *b)
{
    const ts_platform p = ts_platform_of(b);
    char *upper = ts_strdup(arena, b->top);
    for (char *c = upper; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return ts_printf(
        arena,
        "/* Where %s is on the board that vivado/block_design.tcl builds. Made by tessera, with the project. */\n"
        "#ifndef %s_PLATFORM_H\n#define %s_PLATFORM_H\n\n"
        "#define %s_ENGINE_BASE 0x%08XU /* registers, %d bytes */\n"
        "#define %s_DMA_BASE 0x%08XU /* of the DMA (PG021), 65536 bytes */\n"
        "#define %s_INTERRUPT_FIRST %d /* shared peripheral interrupt: hits are in; then results are there, then the engine's */\n"
        "#define %s_HIT_BYTES_MOST %lld /* of an event that is not refused for its length */\n"
        "#define %s_RESULT_BYTES_MOST %lld /* of its results%s */\n\n#endif\n",
        b->top, upper, upper, upper, p.control, TS_REGISTER_BYTES, upper, p.dma, upper, p.first_interrupt, upper, p.hit_bytes, upper,
        p.result_bytes, b->status_word ? ", with the status word" : "");
}

/* ---- Dies */

/* Rings in the chain's order, each behind or beside the one before it: false where one finds no room. die: [rings]. */
static bool place(const ts_board *b, int die[])
{
    const ts_device *d = b->device;
    ts_resources used = {0};
    for (int i = 0, at = 0; i < b->rings; i++) {
        const ts_cost cost = ts_system_cost(b->system, i, d);
        for (;; at++, used = (ts_resources){0}) {
            if (at == d->slr)
                return false;
            const ts_resources *has = &d->die[at];
            bool fits = true;
#define X(field, label) fits = fits && used.field + cost.device.field <= die_share * has->field;
            TS_RESOURCES(X)
#undef X
            if (fits)
                break;
        }
#define X(field, label) used.field += cost.device.field;
        TS_RESOURCES(X)
#undef X
        die[i] = at;
    }
    return true;
}

const char *ts_platform_dies(ts_arena *arena, const ts_board *b, bool wished)
{
    ts_text text;
    FILE *f = ts_text_open(&text);
    int *die = TS_NEW_N(arena, int, b->rings);
    fprintf(f, "# Which rings of %s are on which die, for Vivado: sourced behind synthesis. Made by tessera.\n", b->top);
    if (b->device->slr == 1)
        fprintf(f, "# The device has one.\n");
    else if (!place(b, die))
        fprintf(f, "# None: a ring is larger than %g of a die. Where its stages go is left to the placer.\n", die_share);
    else
        for (int i = 0; i < b->rings; i++) {
            const char *inside = b->rings > 1 ? ts_printf(arena, "/u_part%d", i) : "";
            const char *cells = ts_printf(arena, "[get_cells -hierarchical -filter {NAME =~ *u_engine%s && IS_PRIMITIVE == 0}]", inside);
            if (wished)
                fprintf(f, "set_property USER_SLR_ASSIGNMENT SLR%d %s\n", die[i], cells);
            else
                fprintf(f,
                        "create_pblock ring%d\nresize_pblock [get_pblocks ring%d] -add SLR%d\n"
                        "add_cells_to_pblock [get_pblocks ring%d] %s\n",
                        i, i, die[i], i, cells);
        }
    return ts_text_close(&text, arena);
}
