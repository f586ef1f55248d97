/* The path check on netlists written by hand: what counts as an adder or a multiplexer, where paths begin and end, and paths through
   several modules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "synth/paths.h"

/* Cells as Yosys' write_json writes them; D, A, ... are lists of bits. */
#define DFF(name, D, Q) \
    "\"" name "\":{\"type\":\"$dff\",\"port_directions\":{\"D\":\"input\",\"Q\":\"output\"},\"connections\":{\"D\":[" D "],\"Q\":[" Q "]}" \
    "}"
#define BINARY(name, type, width, A, B, Y) \
    "\"" name "\":{\"type\":\"" type "\",\"parameters\":{\"A_WIDTH\":" width ",\"B_WIDTH\":" width "}," \
    "\"port_directions\":{\"A\":\"input\",\"B\":\"input\",\"Y\":\"output\"},\"connections\":{\"A\":[" A "],\"B\":[" B "],\"Y\":[" Y "]}}"
#define MUX(name, type, ways, A, S, Y) \
    "\"" name "\":{\"type\":\"" type "\",\"parameters\":{\"S_WIDTH\":" ways "},\"port_directions\":{\"A\":\"input\",\"S\":\"input\"," \
    "\"Y\":\"output\"},\"connections\":{\"A\":[" A "],\"S\":[" S "],\"Y\":[" Y "]}}"
#define READ(name, ADDR, DATA) \
    "\"" name "\":{\"type\":\"$memrd\",\"parameters\":{\"CLK_ENABLE\":0},\"port_directions\":{\"ADDR\":\"input\",\"DATA\":\"output\"}," \
    "\"connections\":{\"ADDR\":[" ADDR "],\"DATA\":[" DATA "]}}"
#define USE(name, of, I, O) \
    "\"" name "\":{\"type\":\"" of "\",\"port_directions\":{\"i\":\"input\",\"o\":\"output\"},\"connections\":{\"i\":[" I "],\"o\":[" O \
    "]}}"
#define MODULE(name, I, O, cells) \
    "\"" name "\":{\"ports\":{\"i\":{\"direction\":\"input\",\"bits\":[" I "]},\"o\":{\"direction\":\"output\",\"bits\":[" O \
    "]}},\"cells\":{" cells "}}"
#define NETLIST(modules) "{\"modules\":{" modules "}}"

static void expect(const char *netlist, int adders, int depth, const char *where)
{
    char path[] = "/tmp/paths_test_XXXXXX";
    const int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    ts_arena *arena = ts_arena_new();
    ts_err err = {""};
    ts_paths paths;
    const char *module;
    assert_true(ts_file_write(path, netlist, strlen(netlist), &err));
    if (!ts_paths_check(arena, path, "top", &paths, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(ts_paths_adders(&paths, &module), adders);
    assert_int_equal(ts_paths_depth(&paths, &module), depth);
    if (depth > 0)
        assert_string_equal(module, where);
    ts_arena_free(arena);
    unlink(path);
}

static void cells_count(void **state)
{
    (void)state;
    expect(NETLIST(MODULE("top", "2", "3", DFF("r", "2", "3"))), 0, 0, "");
    expect(NETLIST(MODULE("top", "2", "9", DFF("r", "2", "3") "," BINARY("a", "$add", "8", "3", "3", "4") "," DFF("s", "4", "9"))), 1, 2,
           "top");
    /* up to 3 bits are one LUT; other logic counts as none */
    expect(NETLIST(MODULE("top", "2", "9", DFF("r", "2", "3") "," BINARY("a", "$add", "3", "3", "3", "4") "," DFF("s", "4", "9"))), 0, 0,
           "");
    expect(NETLIST(MODULE("top", "2", "9", DFF("r", "2", "3") "," BINARY("a", "$and", "8", "3", "3", "4") "," DFF("s", "4", "9"))), 0, 0,
           "");
    expect(NETLIST(MODULE("top", "2", "9", DFF("r", "2", "3") "," MUX("m", "$mux", "1", "3", "3", "4") "," DFF("s", "4", "9"))), 0, 1,
           "top");
    expect(NETLIST(MODULE("top", "2", "9", DFF("r", "2", "3") "," MUX("m", "$pmux", "4", "3", "3", "4") "," DFF("s", "4", "9"))), 0, 3,
           "top");
    /* a shift: a level for every bit of the amount that is not constant, at most as many as the value has positions */
    expect(NETLIST(MODULE("top", "2", "9", DFF("r", "2", "3") "," BINARY("m", "$shr", "32", "3", "3,\"0\",3", "4") "," DFF("s", "4", "9"))),
           0, 2, "top");
    expect(NETLIST(MODULE("top", "2", "9", DFF("r", "2", "3") "," BINARY("m", "$shr", "4", "3", "3,3,3,3", "4") "," DFF("s", "4", "9"))), 0,
           2, "top");
    /* LUT RAM: one level, and one for each bit of the address beyond six; paths begin there, too */
    expect(NETLIST(MODULE("top", "2", "9", READ("m", "2,2,2,2,2,2,2,2", "4") "," DFF("s", "4", "9"))), 0, 3, "top");
}

static void chains_add_up(void **state)
{
    (void)state;
    expect(NETLIST(MODULE("top", "2", "9",
                          DFF("r", "2", "3") "," BINARY("a", "$sub", "8", "3", "3", "4") "," MUX(
                              "m", "$mux", "1", "4", "3", "5") "," BINARY("b", "$mul", "8", "5", "3", "6") "," DFF("s", "6", "9"))),
           2, 5, "top");
    /* the deepest path need not be the one with the most adders */
    expect(NETLIST(MODULE("top", "2", "9,10",
                          DFF("r", "2", "3") "," BINARY("a", "$sub", "8", "3", "3", "4") "," DFF("s", "4", "9") "," MUX(
                              "m", "$bmux", "5", "3", "3", "5") "," DFF("t", "5", "10"))),
           1, 5, "top");
    /* a register ends a path; a loop of logic does too */
    expect(NETLIST(MODULE("top", "2", "9",
                          DFF("r", "2", "3") "," BINARY("a", "$add", "8", "3", "3", "4") "," DFF("s", "4", "5") "," BINARY(
                              "b", "$add", "8", "5", "5", "6") "," DFF("t", "6", "9"))),
           1, 2, "top");
    expect(NETLIST(MODULE("top", "2", "9", DFF("r", "2", "3") "," BINARY("a", "$add", "8", "3", "4", "4") "," DFF("s", "4", "9"))), 1, 2,
           "top");
}

/* r + r + bit is one carry chain; not where the sum is read elsewhere, nor with a second bit, nor with a difference or a lone sum before it
 */
#define CARRY(first, A, B, bit, more) \
    NETLIST(MODULE("top", "2", "9", \
                   DFF("r", "2,2", "3,4") "," BINARY("a", first, "8", A, B, "5,6,7,8") "," BINARY("b", "$add", "8", "5,6,7,8", bit, \
                                                                                                  "9,10,11,12") more))
static void a_carry_joins_a_sum(void **state)
{
    (void)state;
    expect(CARRY("$add", "3,4,3,4", "4,3,4,3", "3,\"0\",\"0\"", "," DFF("s", "9,10,11,12", "13")), 1, 2, "top");
    expect(CARRY("$add", "3,4,3,4", "4,3,4,3", "3,4,\"0\"", "," DFF("s", "9,10,11,12", "13")), 2, 4, "top");
    expect(CARRY("$add", "3,4,3,4", "4,3,4,3", "\"0\",3", "," DFF("s", "9,10,11,12", "13")), 2, 4, "top");
    expect(CARRY("$add", "3,4,3,4", "4,3,4,3", "3,\"0\"", "," DFF("s", "9,10,11,12", "13") "," DFF("t", "8", "14")), 2, 4, "top");
    expect(CARRY("$add", "3,4,3,4", "4,\"0\",\"0\"", "3,\"0\"", "," DFF("s", "9,10,11,12", "13")), 2, 4, "top");
    expect(CARRY("$sub", "3,4,3,4", "4,3,4,3", "3,\"0\"", "," DFF("s", "9,10,11,12", "13")), 2, 4, "top");
    expect(CARRY("$add", "3,4,3,4", "4,3,4,3", "3,\"0\"",
                 "," BINARY("c", "$add", "8", "9,10,11,12", "4,\"0\"", "15,16,17,18") "," DFF("s", "15,16,17,18", "13")),
           2, 4, "top");
}

#define SUM MODULE("ts_sum", "2", "3", BINARY("a", "$add", "8", "2", "2", "3"))
#define SUM_STORED MODULE("ts_stored", "2", "4", BINARY("a", "$add", "8", "2", "2", "3") "," DFF("r", "3", "4"))
static void paths_cross_modules(void **state)
{
    (void)state;
    /* register, two sums in instances, register */
    expect(NETLIST(SUM "," MODULE("top", "2", "9",
                                  DFF("r", "2", "3") "," USE("u", "$paramod\\\\ts_sum", "3", "4") "," DFF(
                                      "s", "4", "9")) "," MODULE("$paramod\\\\ts_sum", "2", "3", BINARY("a", "$add", "8", "2", "2", "3"))),
           1, 2, "top");
    expect(NETLIST(SUM
                   "," MODULE("top", "2", "9",
                              DFF("r", "2", "3") "," USE("u", "ts_sum", "3", "4") "," USE("v", "ts_sum", "4", "5") "," DFF("s", "5", "9"))),
           2, 4, "top");
    /* into a register inside of an instance */
    expect(NETLIST(SUM "," SUM_STORED "," MODULE("top", "2", "9",
                                                 DFF("r", "2", "3") "," USE("u", "ts_sum", "3", "4") "," USE("v", "ts_stored", "4", "9"))),
           2, 4, "top");
    /* from an input of the top to nowhere: not register to register */
    expect(NETLIST(SUM "," MODULE("top", "2", "4", USE("u", "ts_sum", "2", "4"))), 0, 0, "");
}

static void wrong_netlists_are_errors(void **state)
{
    (void)state;
    ts_arena *arena = ts_arena_new();
    ts_err err = {""};
    ts_paths paths;
    assert_false(ts_paths_check(arena, "/nonexistent/netlist.json", "top", &paths, &err));
    assert_non_null(strstr(err.msg, "/nonexistent/netlist.json"));
    ts_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_count),
        cmocka_unit_test(chains_add_up),
        cmocka_unit_test(a_carry_joins_a_sum),
        cmocka_unit_test(paths_cross_modules),
        cmocka_unit_test(wrong_netlists_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
