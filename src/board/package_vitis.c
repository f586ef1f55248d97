/* Target vitis: the top as a kernel for an Alveo card, with kernels that move events between it and the card's memory. kernel.xml,
   configuration and options as UG1393 (v2022.2) has them. */
#include <string.h>

#include "base/text.h"
#include "board/package_target.h"
#include "board/platform.h"
#include "board/xml.h"

enum { KERNEL_NAME = 64, KERNEL_ADDRESS_BITS = 64 };
static const double die_share = 0.8;

/* A kernel's clocks have names that the linker knows. */
static const char *const kernel_clocks[] = {[TS_CLOCK_BUS] = "ap_clk", [TS_CLOCK_ENGINE] = "ap_clk_2"};

bool ts_package_check_card(const ts_board *b, ts_err *err)
{
    if (!b->device->card.platform)
        return ts_fail_as(err, TS_USAGE, "%s: Vitis links kernels for cards, and the file of %s has no \"card\"", ts_option("target"),
                          b->device->title);
    if (b->clocks > TS_CLOCK_LINKS)
        return ts_fail_as(err, TS_UNSUPPORTED,
                          "%s: %s has links to other devices, and a kernel has no clock for them: package it for vivado, and put the "
                          "transceivers beside it",
                          ts_option("target"), b->top);
    if (!b->status_word)
        return ts_fail_as(err, TS_USAGE, "%s: what moves results to a card's memory has no TUSER: it must be a word", ts_option("status"));
    return strlen(b->top) + strlen("_kernel") <= KERNEL_NAME ||
           ts_fail_as(err, TS_USAGE, "%s_kernel: names of kernels have at most %d characters: give the model's file a shorter name", b->top,
                      KERNEL_NAME);
}

/* ---- rtl/<top>_kernel.v */

static bool left_out(const ts_bus_signal *s)
{
    return strcmp(s->name, "tuser") == 0; /* the status word says it */
}

static bool widened(const ts_bus *bus, const ts_bus_signal *s)
{
    return bus->kind == TS_BUS_PAGES && strcmp(s->name, "araddr") == 0;
}

static const char *wrapper(ts_arena *arena, const ts_board *b)
{
    const char *images = ts_platform_images(b);
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(f,
            "// %s as a kernel of Vitis: clocks and reset by the names that its linker knows, addresses of %d bits, and no TUSER: a status "
            "word "
            "ends each\n"
            "// event's results. Made by tessera.\n"
            "`default_nettype none\n\nmodule %s_kernel %s(\n    input  wire ap_clk,   // of the buses\n    input  wire ap_clk_2, // of the "
            "engine\n"
            "    input  wire ap_rst_n,\n    output wire interrupt",
            b->top, KERNEL_ADDRESS_BITS, b->top,
            images ? ts_printf(arena, "#(\n    parameter MEM = \"%s\" // where the memory images are\n) ", images) : "");
    ts_bus_signal s[TS_BUS_SIGNALS_MAX];
    for (int i = 0; i < b->buses; i++) {
        const int signals = ts_bus_signals(&b->bus[i], s);
        for (int k = 0; k < signals; k++) {
            const int bits = widened(&b->bus[i], &s[k]) ? KERNEL_ADDRESS_BITS : s[k].bits;
            if (!left_out(&s[k]))
                fprintf(f, ",\n    %s wire %s%s_%s", s[k].output ? "output" : "input ",
                        bits > 1 ? ts_printf(arena, "[%d:0] ", bits - 1) : "", b->bus[i].name, s[k].name);
        }
    }
    fprintf(f, "\n);\n");
    for (int i = 0; i < b->buses; i++)
        if (b->bus[i].kind == TS_BUS_PAGES)
            fprintf(f, "    wire [%d:0] %s_address;\n    assign %s_araddr = {%d'd0, %s_address};\n", b->bus[i].address_bits - 1,
                    b->bus[i].name, b->bus[i].name, KERNEL_ADDRESS_BITS - b->bus[i].address_bits, b->bus[i].name);
    fprintf(f, "    %s %su_board (\n        .%s(ap_clk), .%s(ap_clk_2), .aresetn(ap_rst_n), .interrupt(interrupt)", b->top,
            images ? "#(.MEM(MEM)) " : "", b->clock[TS_CLOCK_BUS].name, b->clock[TS_CLOCK_ENGINE].name);
    for (int i = 0; i < b->buses; i++) {
        const int signals = ts_bus_signals(&b->bus[i], s);
        for (int k = 0; k < signals; k++) {
            const char *port = ts_printf(arena, "%s_%s", b->bus[i].name, s[k].name);
            fprintf(f, ",%s.%s(%s)", k % 3 ? " " : "\n        ", port,
                    left_out(&s[k])              ? ""
                    : widened(&b->bus[i], &s[k]) ? ts_printf(arena, "%s_address", b->bus[i].name)
                                                 : port);
        }
    }
    fprintf(f, ");\nendmodule\n\n`default_nettype wire\n");
    return ts_text_close(&text, arena);
}

/* ---- vitis/kernel.xml */

/* The register that has the address of what the interface reads. */
static int base_register(ts_arena *arena, const ts_registers *r, const ts_bus *bus)
{
    const char *numbered = ts_printf(arena, "PAGE%d_BASE_LO", bus->number);
    for (int i = 0; i < r->count; i++)
        if (strcmp(r->list[i].name, numbered) == 0 || (bus->number == 0 && strcmp(r->list[i].name, "PAGE_BASE_LO") == 0))
            return r->list[i].address;
    BUG("pages without a register for their address");
}

static const char *kernel_xml(const ts_packing *p)
{
    ts_arena *a = p->arena;
    const ts_board *b = p->board;
    ts_text text;
    ts_xml x = {ts_text_open(&text), "", 0};
    fprintf(x.f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    ts_xml_open(&x, "root", " versionMajor=\"1\" versionMinor=\"6\"");
    ts_xml_open(&x, "kernel",
                ts_printf(a,
                          " name=\"%s_kernel\" language=\"ip_c\" vlnv=\"tessera:engines:%s_kernel:1.0\" attributes=\"\" "
                          "preferredWorkGroupSizeMultiple=\"0\" workGroupSize=\"1\" interrupt=\"true\" hwControlProtocol=\"user_managed\"",
                          b->top, b->top));
    ts_xml_open(&x, "ports", "");
    for (int i = 0; i < b->buses; i++) {
        const ts_bus *bus = &b->bus[i];
        const bool control = bus->kind == TS_BUS_CONTROL, addressed = control || bus->kind == TS_BUS_PAGES;
        ts_xml_empty(&x, "port",
                     addressed
                         ? ts_printf(a, " name=\"%s\" mode=\"%s\" range=\"%s\" dataWidth=\"%d\" portType=\"addressable\" base=\"0x0\"",
                                     bus->name, control ? "slave" : "master",
                                     control ? ts_printf(a, "0x%X", TS_REGISTER_BYTES) : "0xFFFFFFFFFFFFFFFF", bus->data_bits)
                         : ts_printf(a, " name=\"%s\" mode=\"%s\" dataWidth=\"%d\" portType=\"stream\"", bus->name,
                                     bus->master ? "write_only" : "read_only", bus->data_bits));
    }
    ts_xml_close(&x, "ports");
    ts_xml_open(&x, "args", "");
    for (int i = 0, id = 0; i < b->buses; i++) {
        const ts_bus *bus = &b->bus[i];
        if (bus->kind == TS_BUS_CONTROL)
            continue;
        const bool pages = bus->kind == TS_BUS_PAGES;
        ts_xml_empty(&x, "arg",
                     ts_printf(a,
                               " name=\"%s\" addressQualifier=\"%d\" id=\"%d\" port=\"%s\" size=\"%s\" offset=\"0x%X\" type=\"%s\" "
                               "hostOffset=\"0x0\" hostSize=\"%s\"",
                               bus->name, pages ? 1 : 4, id++, bus->name, pages ? "0x8" : "0x4",
                               pages ? base_register(a, p->registers, bus) : 0,
                               pages ? "void*" : ts_printf(a, "stream&lt;qdma_axis&lt;%d,0,0,0&gt;&gt;&amp;", bus->data_bits),
                               pages ? "0x8" : "0x4"));
    }
    ts_xml_close(&x, "args");
    ts_xml_close(&x, "kernel");
    ts_xml_close(&x, "root");
    return ts_text_close(&text, a);
}

/* ---- vitis/link.cfg */

static const char *link_cfg(ts_arena *arena, const ts_board *b)
{
    const ts_device_card *card = &b->device->card;
    const ts_cost need = b->rings == 1 ? ts_system_cost(b->system, 0, b->device) : (ts_cost){0};
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(f,
            "# How the kernels are joined on %s; for v++ --link --config. Made by tessera.\n"
            "[connectivity]\n"
            "nk=hits_in:1:hits_in\nnk=%s_kernel:1:engine\nnk=results_out:1:results_out\n"
            "stream_connect=hits_in.hits:engine.s_axis_hits\nstream_connect=engine.m_axis_results:results_out.results\n",
            b->device->title, b->top);
    /* Hits and results in banks of their own, so that neither waits for the other; pages behind them. */
    static const char *const movers[] = {"hits_in", "results_out"};
    int bank = 0;
    for (int m = 0; m < 2; m++, bank++)
        fprintf(f, "sp=%s.memory:%s[%d]\nsp=%s.lengths:%s[%d]\n", movers[m], card->memory, bank % card->banks, movers[m], card->memory,
                bank % card->banks);
    for (int i = 0; i < b->buses; i++)
        if (b->bus[i].kind == TS_BUS_PAGES)
            fprintf(f, "sp=engine.%s:%s[%d]\n", b->bus[i].name, card->memory, bank++ % card->banks);
    for (int m = 0; m < 2; m++)
        fprintf(f, "slr=%s:SLR%d\n", movers[m], card->die[m % card->banks]);
    if (b->rings == 1 && ts_device_dies(b->device, &need.device, die_share) == 1)
        fprintf(f, "slr=engine:SLR%d\n", card->die[0]);
    fprintf(f, "\n[clock]\n");
    for (int i = 0; i < 2; i++)
        fprintf(f, "freqHz=%.0f:engine.%s\n", b->clock[i].mhz * 1e6, kernel_clocks[i]);
    for (int m = 0; m < 2; m++)
        fprintf(f, "freqHz=%.0f:%s.ap_clk\n", b->clock[TS_CLOCK_BUS].mhz * 1e6, movers[m]);
    return ts_text_close(&text, arena);
}

static const char *makefile(ts_arena *arena, const ts_board *b)
{
    return ts_printf(
        arena,
        "# The card's binary: make, in this directory, with Vitis and the card's platform installed. Made by tessera.\n"
        "# Never run by those who made it: no Vitis was there. TARGET=hw_emu builds for its emulation.\n"
        "PLATFORM = %s\nTARGET = hw\nTOP = %s\n\n"
        "$(TOP).xclbin: hits_in.xo results_out.xo engine.xo link.cfg constraints.tcl\n"
        "\tv++ --link --target $(TARGET) --platform $(PLATFORM) --config link.cfg \\\n"
        "\t    --vivado.prop run.impl_1.STEPS.OPT_DESIGN.TCL.PRE=$(CURDIR)/constraints.tcl --save-temps -o $@ $(filter %%.xo,$^)\n"
        "hits_in.xo results_out.xo: %%.xo: %%.cpp stream.h\n"
        "\tv++ --compile --target $(TARGET) --platform $(PLATFORM) --kernel $* -I . -o $@ $<\n"
        "engine.xo: package_kernel.tcl kernel.xml $(wildcard ../rtl/*.v)\n"
        "\tcd .. && vivado -mode batch -source vitis/package_kernel.tcl\n"
        "clean:\n\trm -rf *.xo *.xclbin* _x ip project\n.PHONY: clean\n",
        b->device->card.platform, b->top);
}

bool ts_package_put_VITIS(const ts_packing *p)
{
    const ts_board *b = p->board;
    const struct {
        const char *name, *text;
    } texts[] = {
        {ts_printf(p->arena, "rtl/%s_kernel.v", b->top), wrapper(p->arena, b)},
        {"vitis/kernel.xml", kernel_xml(p)},
        {"vitis/link.cfg", link_cfg(p->arena, b)},
        {"vitis/settings.tcl", ts_platform_settings(p->arena, b)},
        {"vitis/dies.tcl", ts_platform_dies(p->arena, b, true)},
        {"vitis/stream.h",
         ts_printf(p->arena, "// Bits of the streams of hits and results of %s. Made by tessera.\n#define STREAM_BITS %d\n", b->top,
                   b->bus_bits)},
        {"vitis/Makefile", makefile(p->arena, b)},
        {"platform.json", ts_platform_json(p->arena, b)},
    };
    static const char *const templates[][2] = {{"vitis_hits_in.cpp", "vitis/hits_in.cpp"},
                                               {"vitis_results_out.cpp", "vitis/results_out.cpp"},
                                               {"vitis_constraints.tcl", "vitis/constraints.tcl"},
                                               {"vitis_package_kernel.tcl", "vitis/package_kernel.tcl"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!ts_packing_text(p, texts[i].name, texts[i].text))
            return false;
    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++)
        if (!ts_packing_template(p, templates[i][0], templates[i][1]))
            return false;
    return true;
}
