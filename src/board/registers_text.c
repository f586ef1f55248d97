/* The register file in Verilog, and the registers for programs and people. */
#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "board/registers.h"
#include "board/xml.h"

static const char *lower(ts_arena *arena, const char *name)
{
    char *t = ts_strdup(arena, name);
    for (char *p = t; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return t;
}

static const char *range(ts_arena *arena, int bits)
{
    return bits > 1 ? ts_printf(arena, "[%d:0] ", bits - 1) : "";
}

/* ---- Verilog */

const char *ts_register_port(ts_arena *arena, const ts_register *g)
{
    switch (g->access) {
    case TS_REGISTER_CONSTANT:
        return NULL;
    case TS_REGISTER_STATUS: /* counters, and counts of a link, are one port of all their registers */
    case TS_REGISTER_STICKY:
        return strchr(g->signal, '[') ? NULL : g->signal;
    case TS_REGISTER_CONTROL:
    case TS_REGISTER_COMMAND:
        return lower(arena, g->name);
    }
    BUG("no such access");
}

static void ports(FILE *f, ts_arena *arena, const ts_registers *r, int links)
{
    fprintf(f, ",\n    input  wire [511:0] counters");
    for (int n = 0; n < links; n++)
        fprintf(f, ",\n    input  wire [223:0] link%d_counts", n);
    for (int i = 0; i < r->count; i++) {
        const ts_register *g = &r->list[i];
        const char *name = ts_register_port(arena, g);
        const bool stored = g->access == TS_REGISTER_CONTROL || g->access == TS_REGISTER_COMMAND;
        if (name)
            fprintf(f, ",\n    %s %s%s", stored ? "output reg " : "input  wire", range(arena, g->bits), name);
    }
}

/* A write of the register, byte by byte where it has several. */
static void write_of(FILE *f, ts_arena *arena, const ts_register *g)
{
    const char *name = lower(arena, g->name);
    for (int lsb = 0; lsb < g->bits; lsb += 8) {
        const int msb = lsb + 7 < g->bits ? lsb + 7 : g->bits - 1;
        if (g->bits == 1)
            fprintf(f, "                if (q_strobe[0]) %s <= q_data[0];\n", name);
        else
            fprintf(f, "                if (q_strobe[%d]) %s[%d:%d] <= q_data[%d:%d];\n", lsb / 8, name, msb, lsb, msb, lsb);
    }
}

static void reset_of(FILE *f, ts_arena *arena, const ts_register *g)
{
    if (g->access == TS_REGISTER_CONTROL || g->access == TS_REGISTER_COMMAND)
        fprintf(f, "            %s <= %d'd%u;\n", lower(arena, g->name), g->bits, g->value);
    else if (g->access == TS_REGISTER_STICKY)
        fprintf(f, "            %s <= %d'd0;\n", lower(arena, g->name), g->bits);
}

static const char *read_of(ts_arena *arena, const ts_register *g)
{
    const char *pad = g->bits < 32 ? ts_printf(arena, "%d'd0, ", 32 - g->bits) : "";
    switch (g->access) {
    case TS_REGISTER_CONSTANT:
        return ts_printf(arena, "32'h%08x", g->value);
    case TS_REGISTER_STATUS:
        return ts_printf(arena, "{%s%s}", pad, g->signal);
    case TS_REGISTER_CONTROL:
    case TS_REGISTER_STICKY:
        return ts_printf(arena, "{%s%s}", pad, lower(arena, g->name));
    case TS_REGISTER_COMMAND:
        return "32'd0";
    }
    BUG("no such access");
}

const char *ts_registers_verilog(ts_arena *arena, const ts_board *board, const ts_registers *r)
{
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(
        f,
        "// Registers of %s, in the engine clock. Made by tessera; registers.md says what each one is for.\n"
        "// An access is offered with q_valid and taken at once; its answer comes a cycle later. interrupt: of unmasked bits, a level.\n"
        "`default_nettype none\n\n"
        "module %s_registers (\n"
        "    input  wire        clk,\n"
        "    input  wire        rst,\n"
        "    input  wire        q_valid,\n"
        "    input  wire        q_write,\n"
        "    input  wire [11:0] q_address,\n"
        "    input  wire [31:0] q_data,\n"
        "    input  wire [3:0]  q_strobe,\n"
        "    output reg         a_valid,\n"
        "    output reg         a_hit,\n"
        "    output reg  [31:0] a_data,\n"
        "    output reg         interrupt_level",
        board->top, board->top);
    ports(f, arena, r, board->links);
    fprintf(f, "\n);\n");
    for (int i = 0; i < r->count; i++)
        if (r->list[i].access == TS_REGISTER_STICKY)
            fprintf(f, "    reg %s%s;\n", range(arena, r->list[i].bits), lower(arena, r->list[i].name));
    fprintf(f, "    reg        hit;\n    reg [31:0] data;\n"
               "    always @* begin\n        hit  = 1'b1;\n        data = 32'd0;\n        case ({q_address[11:2], 2'b00})\n");
    for (int i = 0; i < r->count; i++)
        fprintf(f, "            12'h%03x: data = %s; // %s\n", r->list[i].address, read_of(arena, &r->list[i]), r->list[i].name);
    fprintf(f, "            default: hit = 1'b0;\n        endcase\n    end\n\n"
               "    always @(posedge clk) begin\n"
               "        a_valid         <= q_valid && !rst;\n"
               "        a_hit           <= hit;\n"
               "        a_data          <= q_write ? 32'd0 : data;\n"
               "        interrupt_level <= !rst && |(interrupt & interrupt_mask);\n");
    for (int i = 0; i < r->count; i++) {
        const ts_register *g = &r->list[i];
        if (g->access == TS_REGISTER_COMMAND)
            fprintf(f, "        %s <= %d'd0;\n", lower(arena, g->name), g->bits);
        else if (g->access == TS_REGISTER_STICKY)
            fprintf(f,
                    "        %s <= %s & ~(q_valid && q_write && q_strobe[0] && {q_address[11:2], 2'b00} == 12'h%03x ? q_data[%d:0] : "
                    "%d'd0) | %s;\n",
                    lower(arena, g->name), lower(arena, g->name), g->address, g->bits - 1, g->bits, g->signal);
    }
    fprintf(f, "        if (q_valid && q_write)\n            case ({q_address[11:2], 2'b00})\n");
    for (int i = 0; i < r->count; i++) {
        const ts_register *g = &r->list[i];
        if (g->access != TS_REGISTER_CONTROL && g->access != TS_REGISTER_COMMAND)
            continue;
        fprintf(f, "            12'h%03x: begin\n", g->address);
        write_of(f, arena, g);
        fprintf(f, "            end\n");
    }
    fprintf(f, "            default: ;\n            endcase\n        if (rst) begin\n");
    for (int i = 0; i < r->count; i++)
        reset_of(f, arena, &r->list[i]);
    fprintf(f, "        end\n    end\n\n    wire unused = &{1'b0, q_address[1:0]};\nendmodule\n\n`default_nettype wire\n");
    return ts_text_close(&text, arena);
}

/* ---- Programs */

const char *ts_registers_c(ts_arena *arena, const ts_board *board, const ts_registers *r)
{
    const char *top = board->top;
    char *upper = ts_strdup(arena, top);
    for (char *p = upper; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(f,
            "/* Registers of %s: byte offsets from its AXI4-Lite base, 32 bits each; fields as shift and mask. Made by tessera, with the "
            "hardware. */\n"
            "#ifndef %s_REGISTERS_H\n#define %s_REGISTERS_H\n\n#define %s_BUILD 0x%016llxULL\n\n",
            top, upper, upper, upper, (unsigned long long)board->build);
    for (int i = 0, k = 0; i < r->count; i++) {
        const ts_register *g = &r->list[i];
        fprintf(f, "#define %s_%s 0x%03x /* %s; %s */\n", upper, g->name, g->address, ts_register_access_name(g->access), g->doc);
        if (g->access == TS_REGISTER_CONSTANT)
            fprintf(f, "#define %s_%s_VALUE 0x%08xU\n", upper, g->name, g->value);
        for (; k < r->fields && strcmp(r->field[k].of, g->name) == 0; k++)
            fprintf(f, "#define %s_%s_%s_SHIFT %d /* %s */\n#define %s_%s_%s_MASK 0x%08xU\n", upper, g->name, r->field[k].name,
                    r->field[k].lsb, r->field[k].doc, upper, g->name, r->field[k].name,
                    (uint32_t)(((uint64_t)1 << r->field[k].bits) - 1) << r->field[k].lsb);
    }
    fprintf(f, "\n#endif\n");
    return ts_text_close(&text, arena);
}

const char *ts_registers_python(ts_arena *arena, const ts_board *board, const ts_registers *r)
{
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(
        f,
        "\"\"\"Registers of %s: byte offsets from its AXI4-Lite base, 32 bits each; fields as (lowest bit, bits). Made by tessera, with "
        "the hardware.\"\"\"\n\nBUILD = 0x%016llx\n\n",
        board->top, (unsigned long long)board->build);
    for (int i = 0, k = 0; i < r->count; i++) {
        const ts_register *g = &r->list[i];
        fprintf(f, "%s = 0x%03x  # %s; %s\n", g->name, g->address, ts_register_access_name(g->access), g->doc);
        if (g->access == TS_REGISTER_CONSTANT)
            fprintf(f, "%s_VALUE = 0x%08x\n", g->name, g->value);
        for (; k < r->fields && strcmp(r->field[k].of, g->name) == 0; k++)
            fprintf(f, "%s_%s = (%d, %d)  # %s\n", g->name, r->field[k].name, r->field[k].lsb, r->field[k].bits, r->field[k].doc);
    }
    return ts_text_close(&text, arena);
}

const char *ts_registers_vh(ts_arena *arena, const ts_registers *r)
{
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(f, "// Registers, as board_tb.v names them.\n");
    for (int i = 0; i < r->count; i++) {
        fprintf(f, "`define REG_%s 12'h%03x\n", r->list[i].name, r->list[i].address);
        if (r->list[i].access == TS_REGISTER_CONSTANT)
            fprintf(f, "`define REG_%s_VALUE 32'h%08x\n", r->list[i].name, r->list[i].value);
    }
    return ts_text_close(&text, arena);
}

const char *ts_registers_ipbus(ts_arena *arena, const ts_board *board, const ts_registers *r)
{
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(f,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- uHAL address table of %s: word addresses. Made by tessera. -->\n<node "
            "id=\"%s\">\n",
            board->top, board->top);
    for (int i = 0, k = 0; i < r->count; i++) {
        const ts_register *g = &r->list[i];
        const bool writes = g->access == TS_REGISTER_CONTROL || g->access == TS_REGISTER_COMMAND || g->access == TS_REGISTER_STICKY;
        fprintf(f, "  <node id=\"%s\" address=\"0x%03x\" permission=\"%s\" description=\"", g->name, g->address / 4, writes ? "rw" : "r");
        ts_xml_escape(f, g->doc);
        const bool has = k < r->fields && strcmp(r->field[k].of, g->name) == 0;
        fprintf(f, "\"%s>\n", has ? "" : "/");
        for (; k < r->fields && strcmp(r->field[k].of, g->name) == 0; k++) {
            fprintf(f, "    <node id=\"%s\" mask=\"0x%08x\" description=\"", r->field[k].name,
                    (uint32_t)(((uint64_t)1 << r->field[k].bits) - 1) << r->field[k].lsb);
            ts_xml_escape(f, r->field[k].doc);
            fprintf(f, "\"/>\n");
        }
        if (has)
            fprintf(f, "  </node>\n");
    }
    fprintf(f, "</node>\n");
    return ts_text_close(&text, arena);
}

const char *ts_registers_page(ts_arena *arena, const ts_board *board, const ts_registers *r)
{
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(f,
            "# Registers of %s\n\nAXI4-Lite, 32 bits; offsets in bytes. An address that is not here answers SLVERR, and so does every one "
            "while the engine clock stands "
            "still.\n\n| offset | name | access | bits | what |\n|---|---|---|---|---|\n",
            board->top);
    for (int i = 0, k = 0; i < r->count; i++) {
        const ts_register *g = &r->list[i];
        fprintf(f, "| 0x%03x | %s | %s | %d | %s", g->address, g->name, ts_register_access_name(g->access), g->bits, g->doc);
        if (g->access == TS_REGISTER_CONSTANT)
            fprintf(f, " (0x%08x)", g->value);
        fprintf(f, " |\n");
        for (; k < r->fields && strcmp(r->field[k].of, g->name) == 0; k++)
            fprintf(f, "| | %s.%s | | %d..%d | %s |\n", g->name, r->field[k].name, r->field[k].lsb + r->field[k].bits - 1, r->field[k].lsb,
                    r->field[k].doc);
    }
    return ts_text_close(&text, arena);
}
