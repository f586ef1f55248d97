/* Boards: the registers are written once, and everything that is printed of them follows; a package is whole or not there. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "board/package.h"
#include "board/package_target.h"
#include "board/registers.h"
#include "scratch.h"
#include "small_model.h"

typedef struct fixture {
    small_model m;
    ts_plan plan;
    ts_system system;
    const ts_device *device;
} fixture;

static int setup(void **state)
{
    static fixture f;
    ts_err err = {""};
    const ts_encoder_shape shape = {
        .features = 3, .d = 12, .heads = 2, .d_head = 6, .ff = 24, .outputs = 2, .layers = 3, .embed_count = 1, .head_count = 1};
    f.m = small_model_make(&shape, 7, "", &err);
    f.plan = ts_plan_minimal(f.m.im, 20);
    f.device = ts_device_find(f.m.arena, "zcu102", &err);
    *state = &f;
    return ts_system_of_ring(f.m.arena, f.m.im, &f.plan, &f.system, &err) ? 0 : -1;
}

static int teardown(void **state)
{
    fixture *f = *state;
    ts_arena_free(f->m.arena);
    return 0;
}

static ts_board board_of(const fixture *f, const ts_board_options *o)
{
    ts_boards boards;
    ts_err err = {""};
    if (!ts_boards_of(f->m.arena, &f->system, &f->device, "{}", o, &boards, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(boards.count, 1);
    return boards.board[0];
}

/* component.xml of the board with these registers. */
static const char *component(const fixture *f, const ts_board *b, const ts_registers *r)
{
    const char *dir = scratch_new("component");
    ts_err err = {""};
    const ts_packing p = {.arena = f->m.arena, .board = b, .registers = r, .dir = dir, .err = &err};
    size_t size;
    if (!ts_package_put_component(&p))
        fail_msg("%s", err.msg);
    const char *text = ts_file_read(f->m.arena, ts_printf(f->m.arena, "%s/component.xml", dir), &size, &err);
    assert_non_null(text);
    scratch_free(dir);
    return text;
}

/* Where each of the files says what the register is, and at which address. */
static void all_have(const fixture *f, const ts_board *b, const ts_registers *r, const ts_register *g)
{
    ts_arena *a = f->m.arena;
    const char *verilog = ts_registers_verilog(a, b, r), *header = ts_registers_c(a, b, r), *xml = ts_registers_ipbus(a, b, r),
               *page = ts_registers_page(a, b, r), *bench = ts_registers_vh(a, r), *python = ts_registers_python(a, b, r);
    char *upper = ts_strdup(a, b->top);
    for (char *p = upper; *p; p++)
        *p = *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p;
    assert_non_null(strstr(verilog, ts_printf(a, "12'h%03x: data = ", g->address)));
    assert_non_null(strstr(verilog, ts_printf(a, "// %s\n", g->name)));
    assert_non_null(strstr(header, ts_printf(a, "#define %s_%s 0x%03x ", upper, g->name, g->address)));
    assert_non_null(strstr(xml, ts_printf(a, "<node id=\"%s\" address=\"0x%03x\"", g->name, g->address / 4)));
    assert_non_null(strstr(page, ts_printf(a, "| 0x%03x | %s |", g->address, g->name)));
    assert_non_null(strstr(python, ts_printf(a, "\n%s = 0x%03x  # ", g->name, g->address)));
    assert_non_null(strstr(bench, ts_printf(a, "`define REG_%s 12'h%03x\n", g->name, g->address)));
}

static void registers_are_printed_alike(void **state)
{
    const fixture *f = *state;
    const ts_board b = board_of(f, &(ts_board_options){0});
    ts_registers r = *ts_registers_of(f->m.arena, &b);
    assert_true(r.count > 40 && r.fields > 15);
    for (int i = 0; i < r.count; i++) {
        assert_true(r.list[i].address % 4 == 0 && r.list[i].bits >= 1 && r.list[i].bits <= 32);
        all_have(f, &b, &r, &r.list[i]);
    }
    /* A change in the one place is one everywhere. */
    ts_register *changed = &r.list[r.count / 2];
    changed->name = "RENAMED";
    changed->address += 0; /* stays */
    all_have(f, &b, &r, changed);
    ts_register *last = &r.list[r.count - 1];
    last->address = 0xffc;
    all_have(f, &b, &r, last);
    r.field[0].bits = 3;
    r.field[0].lsb = 5;
    r.field[0].name = "MOVED";
    assert_non_null(strstr(ts_registers_c(f->m.arena, &b, &r), "_MOVED_MASK 0x000000e0U"));
    assert_non_null(strstr(ts_registers_ipbus(f->m.arena, &b, &r), "<node id=\"MOVED\" mask=\"0x000000e0\""));
    assert_non_null(strstr(ts_registers_page(f->m.arena, &b, &r), "MOVED | | 7..5 |"));
    assert_non_null(strstr(ts_registers_python(f->m.arena, &b, &r), "_MOVED = (5, 3)  # "));
    const char *xml = component(f, &b, &r), *moved = strstr(xml, "<spirit:name>MOVED</spirit:name>");
    assert_non_null(moved);
    const char *end = strstr(moved, "</spirit:field>"), *at = strstr(moved, "<spirit:bitOffset>5</spirit:bitOffset>"),
               *bits = strstr(moved, "<spirit:bitWidth>3</spirit:bitWidth>");
    assert_true(at && bits && at < end && bits < end);
    moved = strstr(xml, ts_printf(f->m.arena, "<spirit:name>%s</spirit:name>", last->name));
    assert_non_null(moved);
    at = strstr(moved, "<spirit:addressOffset>0xFFC</spirit:addressOffset>");
    assert_true(at && at < strstr(moved, "</spirit:register>"));
    assert_non_null(strstr(xml, "<spirit:name>RENAMED</spirit:name>"));
}

static void boards_follow_their_rings(void **state)
{
    const fixture *f = *state;
    const ts_board narrow = board_of(f, &(ts_board_options){0}), wide = board_of(f, &(ts_board_options){.bus_bits = 512, .bus_mhz = 125});
    assert_int_equal(narrow.bus_bits, 64); /* 3 values of 16 bits; results of 2 x 32 or less */
    assert_int_equal(wide.bus_bits, 512);
    assert_true(wide.clock[TS_CLOCK_BUS].mhz > 124 && wide.clock[TS_CLOCK_BUS].mhz < 126 && narrow.build != wide.build && !narrow.paged);
    assert_int_equal(narrow.buses, 3);
    assert_null(strstr(ts_board_verilog(f->m.arena, &narrow), "m_axi_pages"));
    fixture paged = *f;
    paged.plan.lin[TS_LIN_FFN1].buffers = 1;
    paged.plan.paging = (ts_paging){.lanes = 2, .bursts = 2, .latency = 60, .rate = 1};
    ts_err err = {""};
    assert_true(ts_system_of_ring(f->m.arena, f->m.im, &paged.plan, &paged.system, &err));
    const ts_board b = board_of(&paged, &(ts_board_options){0});
    assert_true(b.paged && b.buses == 4 && b.bus[3].data_bits == 128);
    assert_non_null(strstr(ts_board_verilog(f->m.arena, &b), "m_axi_pages_rdata"));
    assert_int_equal(ts_registers_of(f->m.arena, &b)->count - ts_registers_of(f->m.arena, &narrow)->count, 5);
}

static void what_has_no_top_is_refused(void **state)
{
    const fixture *f = *state;
    ts_boards boards;
    static const int bits[] = {16, 48, 96, 1024, -64};
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
        ts_err err = {""};
        assert_false(ts_boards_of(f->m.arena, &f->system, &f->device, "{}", &(ts_board_options){.bus_bits = bits[i]}, &boards, &err));
        assert_int_equal(err.code, TS_USAGE);
        assert_non_null(strstr(err.msg, "bus_bits"));
    }
    ts_system three = f->system;
    ts_system_ring rings[] = {f->system.ring[0], f->system.ring[0], f->system.ring[0]};
    const ts_device *const devices[] = {f->device, f->device, f->device};
    rings[1].device_number = 1;
    three.ring = rings;
    three.rings = 3;
    three.link = (ts_link){64, 0.5, 10};
    ts_err err = {""};
    assert_false(ts_boards_of(f->m.arena, &three, devices, "{}", &(ts_board_options){0}, &boards, &err));
    assert_int_equal(err.code, TS_UNSUPPORTED);
}

/* The first takes hits, the last gives results, links join them, each in a clock of its own. */
static void devices_have_links(void **state)
{
    const fixture *f = *state;
    enum { DEVICES = 3 };
    ts_boards boards;
    ts_system three = f->system;
    ts_system_ring rings[DEVICES];
    const ts_device *devices[DEVICES];
    for (int k = 0; k < DEVICES; k++) {
        rings[k] = f->system.ring[0];
        rings[k].device_number = k;
        devices[k] = f->device;
    }
    three.ring = rings;
    three.rings = DEVICES;
    three.link = (ts_link){64, 0.5, 10};
    ts_err err = {""};
    assert_true(ts_boards_of(f->m.arena, &three, devices, "{}", &(ts_board_options){0}, &boards, &err));
    assert_int_equal(boards.count, DEVICES);
    for (int k = 0; k < DEVICES; k++) {
        const ts_board *b = &boards.board[k];
        const char *verilog = ts_board_verilog(f->m.arena, b);
        assert_true(b->takes_hits == (k == 0) && b->gives_results == (k == DEVICES - 1));
        assert_int_equal(b->links, k == 1 ? 2 : 1);
        assert_int_equal(b->clocks, TS_CLOCK_LINKS + b->links);
        assert_int_equal(b->buses, 1 + (k == 0) + (k == DEVICES - 1) + 2 * b->links);
        assert_true(!strstr(verilog, "s_axis_hits_t") == (k > 0) && !strstr(verilog, "m_axis_results_t") == (k < DEVICES - 1));
        for (int n = 0; n < b->links; n++) {
            const ts_board_link *link = &b->link[n], *other = &boards.board[link->peer].link[link->peer_link];
            assert_true(other->peer == k && other->peer_link == n && link->sends != other->sends);
            assert_true(fabs(b->clock[TS_CLOCK_LINKS + n].mhz - rings[0].plan->clock_mhz / 2) < 1e-6);
            assert_non_null(strstr(verilog, ts_printf(f->m.arena, "s_axis_link%d_tdata", n)));
        }
        assert_true(k == 0 || b->build != boards.board[k - 1].build);
    }
    assert_int_equal(ts_registers_of(f->m.arena, &boards.board[1])->count - ts_registers_of(f->m.arena, &boards.board[0])->count, 8);
    assert_non_null(strstr(ts_boards_verilog(f->m.arena, &boards), "u_lane3"));
}

static void packages_are_whole(void **state)
{
    const fixture *f = *state;
    const char *dir = scratch_new("board");
    ts_arena *a = f->m.arena;
    const char *design_dir = ts_printf(a, "%s/design", dir), *out = ts_printf(a, "%s/package", dir);
    ts_err err = {""};
    ts_design design;
    ts_boards boards;
    assert_true(ts_design_write(&(ts_design_options){.system = &f->system}, design_dir, &err));
    assert_true(ts_design_load(a, design_dir, &design, &err));
    for (int target = 0; target < TS_PACKAGE_COUNT; target++) /* each in place of the one before */
        if (target == TS_PACKAGE_VITIS) {                     /* the board is no card; and what was there stays */
            ts_err wrong = {""};
            assert_false(
                ts_package(a, &design, &(ts_package_options){.target = TS_PACKAGE_VITIS, .status_by_target = true}, out, &boards, &wrong));
            assert_int_equal(wrong.code, TS_USAGE);
        } else if (!ts_package(a, &design, &(ts_package_options){.target = (ts_package_target)target, .status_by_target = true}, out,
                               &boards, &err))
            fail_msg("%s", err.msg);
    assert_int_equal(access(ts_printf(a, "%s/rtl/%s.v", out, boards.board[0].top), R_OK), 0);
    assert_int_equal(access(ts_printf(a, "%s/rtl/%s_registers.v", out, boards.board[0].top), R_OK), 0);
    assert_int_equal(access(ts_printf(a, "%s/rtl/%s.v", out, f->system.top), R_OK), 0);
    assert_int_equal(access(ts_printf(a, "%s/mem/hits.hex", out), R_OK), 0);
    assert_int_equal(access(ts_printf(a, "%s/tb/board_tb.v", out), R_OK), 0);
    assert_int_equal(access(ts_printf(a, "%s/vivado/build.tcl", out), R_OK), 0); /* of the last target, and of no other */
    assert_int_not_equal(access(ts_printf(a, "%s/Makefile", out), R_OK), 0);
    assert_int_not_equal(access(ts_printf(a, "%s/%s.core", out, boards.board[0].top), R_OK), 0);
    FILE *mine = fopen(ts_printf(a, "%s/mine", dir), "w");
    fclose(mine);
    assert_false(ts_package(a, &design, &(ts_package_options){0}, dir, &boards, &err)); /* somebody else's */
    ts_design_free(&design);
    scratch_free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_are_printed_alike), cmocka_unit_test(devices_have_links), cmocka_unit_test(boards_follow_their_rings),
        cmocka_unit_test(what_has_no_top_is_refused),  cmocka_unit_test(packages_are_whole),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
