/* What a handle promises, one promise a test, on devices that fail in the way that is asked of them. */
#include "flaky.h"

enum { NEXT_DEPTH = 3 };

static flaky_chain chain;
static tessera_error error;

static tessera_runner *open_one(int devices)
{
    flaky_chain_make(&chain);
    tessera_runner *r = flaky_open(&chain, devices, NEXT_DEPTH, 0.05, &error);
    if (!r)
        fprintf(stderr, "%s\n", error.message);
    CHECK_THAT(r);
    return r;
}

static void close_one(tessera_runner *r)
{
    tessera_run_close(r);
    CHECK_THAT(chain.opened == 0);
}

static void events_come_back_by_number_and_in_order(void)
{
    tessera_runner *r = open_one(2);
    tessera_run_result result;
    uint64_t number[3];
    for (int i = 0; i < 3; i++)
        CHECK_THAT(flaky_submit(r, 10 + i, 1 + i, 0, &number[i], &error) == TESSERA_OK);
    CHECK_THAT(number[0] == 0 && number[2] == 2);
    CHECK_THAT(flaky_submit(r, 20, 1, 0, NULL, &error) == TESSERA_NOT_YET); /* depth */
    CHECK_SAYS(error, TESSERA_NOT_YET, "3 events are submitted");
    CHECK_THAT(flaky_wait_for(r, number[1], 1, &result, &error) == TESSERA_OK && result.number == 1);
    CHECK_THAT(flaky_wait_for(r, number[1], 1, &result, &error) == TESSERA_USAGE);
    CHECK_SAYS(error, TESSERA_USAGE, "event 1 was taken already");
    CHECK_THAT(flaky_wait_for(r, 77, 1, &result, &error) == TESSERA_USAGE);
    CHECK_SAYS(error, TESSERA_USAGE, "there is no event 77");
    CHECK_THAT(flaky_submit(r, 20, 1, 0, NULL, &error) == TESSERA_OK);
    CHECK_THAT(flaky_wait_for(r, TESSERA_RUN_NEXT, 1, &result, &error) == TESSERA_OK && result.number == 0);
    CHECK_THAT(flaky_wait_for(r, TESSERA_RUN_NEXT, 1, &result, &error) == TESSERA_OK && result.number == 2);
    CHECK_THAT(flaky_wait_for(r, TESSERA_RUN_NEXT, 1, &result, &error) == TESSERA_OK && result.number == 3);
    CHECK_THAT(flaky_wait_for(r, TESSERA_RUN_NEXT, 0, &result, &error) == TESSERA_NOT_YET);
    CHECK_SAYS(error, TESSERA_NOT_YET, "nothing is submitted");
    close_one(r);
}

static void too_many_hits_are_refused_in_their_turn(void)
{
    tessera_runner *r = open_one(1);
    tessera_run_result result;
    CHECK_THAT(flaky_submit(r, 1, 2, 0, NULL, &error) == TESSERA_OK);
    CHECK_THAT(flaky_submit(r, 2, FLAKY_MAX_TOKENS + 1, 0, NULL, &error) == TESSERA_OK);
    CHECK_THAT(flaky_submit(r, 3, FLAKY_MAX_TOKENS, 0, NULL, &error) == TESSERA_OK);
    CHECK_THAT(flaky_wait_for(r, 1, 0, &result, &error) == TESSERA_OK && result.status == TESSERA_RUN_REFUSED);
    CHECK_THAT(flaky_wait_for(r, 0, 1, &result, &error) == TESSERA_OK && flaky_wait_for(r, 2, 1, &result, &error) == TESSERA_OK);
    CHECK_THAT(chain.events == 2);
    close_one(r);
}

static void values_are_standardised_and_quantised(void)
{
    tessera_runner *r = open_one(1);
    const float rows[] = {5, 7, -3, 0.25F};
    const double x[] = {5, -3}, y[] = {7, 0.25}, *columns[] = {x, y};
    int32_t words[4];
    for (int form = 0; form < 3; form++) {
        tessera_run_event e = TESSERA_INIT(tessera_run_event);
        tessera_run_result result = TESSERA_INIT(tessera_run_result);
        e.hits = 2;
        e.values = form == 1 ? NULL : rows;
        e.columns = form == 1 ? columns : NULL;
        e.standardised = form == 2;
        result.words = words;
        result.room = 2;
        CHECK_THAT(tessera_run_submit(r, &e, 0, NULL, &error) == TESSERA_OK);
        CHECK_THAT(tessera_run_wait(r, TESSERA_RUN_NEXT, 1, &result, &error) == TESSERA_OK);
        /* (5 - 1) / 2 = 2 or 5; 7 / 0.5 = 14; (-3 - 1) / 2 = -2 or -3; 0.25 / 0.5 + 0.5 = 1 */
        CHECK_THAT(words[0] == (e.standardised ? 5 : 2) && words[1] == 3 * 14 + 2);
        CHECK_THAT(words[2] == (e.standardised ? -3 : -2) && words[3] == 3 * 1 + 2);
    }
    tessera_run_event e = TESSERA_INIT(tessera_run_event);
    const float bad[] = {1, 2, 3, 1e30F / 1e-30F};
    e.hits = 2;
    e.values = bad;
    CHECK_THAT(tessera_run_submit(r, &e, 0, NULL, &error) == TESSERA_USAGE);
    CHECK_SAYS(error, TESSERA_USAGE, "hit 1: y is not a finite number");
    e.words = words;
    CHECK_THAT(tessera_run_submit(r, &e, 0, NULL, &error) == TESSERA_USAGE);
    e.values = NULL;
    words[3] = 32768;
    CHECK_THAT(tessera_run_submit(r, &e, 0, NULL, &error) == TESSERA_USAGE);
    CHECK_SAYS(error, TESSERA_USAGE, "hit 1: word 1 is 32768; words in are -32767 to 32767");
    e.hits = 0;
    CHECK_THAT(tessera_run_submit(r, &e, 0, NULL, &error) == TESSERA_USAGE);
    close_one(r);
}

static void too_little_room_keeps_the_result(void)
{
    tessera_runner *r = open_one(1);
    double values[4];
    tessera_run_result result = TESSERA_INIT(tessera_run_result), again;
    CHECK_THAT(flaky_submit(r, 5, 4, 0, NULL, &error) == TESSERA_OK);
    result.values = values;
    result.room = 2;
    CHECK_THAT(tessera_run_wait(r, 0, 1, &result, &error) == TESSERA_USAGE && result.rows == 4);
    CHECK_SAYS(error, TESSERA_USAGE, "has 4 rows, the result has room for 2");
    CHECK_THAT(flaky_wait_for(r, 0, 1, &again, &error) == TESSERA_OK);
    close_one(r);
}

/* Submits one event that does not come back; returns the error of waiting for it. */
static void lose_one(tessera_runner *r)
{
    tessera_run_result result;
    uint64_t number;
    const int64_t begin = ts_run_now();
    CHECK_THAT(flaky_submit(r, 1, 2, 1, &number, &error) == TESSERA_OK);
    CHECK_THAT(flaky_wait_for(r, number, 5, &result, &error) != TESSERA_OK && result.status == TESSERA_RUN_LOST && result.number == number);
    CHECK_THAT(ts_run_now() - begin < 2000000000);
}

static void works(tessera_runner *r)
{
    tessera_run_result result;
    uint64_t number;
    CHECK_THAT(flaky_submit(r, 9, 3, 1, &number, &error) == TESSERA_OK && flaky_wait_for(r, number, 1, &result, &error) == TESSERA_OK);
}

static void a_hang_is_an_error_with_device_and_registers(void)
{
    tessera_runner *r = open_one(3);
    chain.faults.no_results = true;
    lose_one(r);
    CHECK_SAYS(error, TESSERA_TIMED_OUT, "device 2 (board2): no result of event 0 for 0.05");
    CHECK_SAYS(error, TESSERA_TIMED_OUT, "device 0 (board0): STATUS 0x00 at 0x048, EVENTS 0, STALL_IN stands, STALL_OUT grows");
    CHECK_THAT(flaky_submit(r, 2, 1, 0, NULL, &error) == TESSERA_TIMED_OUT); /* and says why */
    CHECK_SAYS(error, TESSERA_TIMED_OUT, "no result of event 0");
    CHECK_THAT(tessera_run_reset(r, 0.1, &error) == TESSERA_OK && chain.restarts == 1);
    works(r);
    tessera_run_counters c = TESSERA_INIT(tessera_run_counters);
    CHECK_THAT(tessera_run_statistics(r, 1, &c, &error) == TESSERA_OK);
    CHECK_THAT(c.lost == 1 && c.timeouts == 1 && c.resets == 1 && c.submitted == 2 && c.taken == 2);
    CHECK_THAT(tessera_run_statistics(r, 3, &c, &error) == TESSERA_USAGE);
    close_one(r);
}

static void hits_that_are_not_taken_are_an_error(void)
{
    tessera_runner *r = open_one(1);
    chain.faults.no_hits = true;
    lose_one(r);
    CHECK_SAYS(error, TESSERA_TIMED_OUT, "device 0 (board0): takes no hits of event 0");
    chain.faults.no_hits = false;
    CHECK_THAT(tessera_run_reset(r, 0.1, &error) == TESSERA_OK && chain.restarts == 0); /* a soft one is enough */
    works(r);
    close_one(r);
}

static void late_results_are_not_those_of_later_events(void)
{
    tessera_runner *r = open_one(1);
    chain.faults.slow = 0.15;
    lose_one(r);
    CHECK_THAT(tessera_run_reset(r, 1, &error) == TESSERA_OK && chain.restarts == 0);
    chain.faults.slow = 0;
    works(r);
    close_one(r);
}

static void what_is_out_of_step_is_an_error(void)
{
    tessera_runner *r = open_one(1);
    chain.faults.short_result = true;
    lose_one(r);
    CHECK_SAYS(error, TESSERA_NO_DEVICE, "a result of 8 bytes came, event 0 of 2 tokens has 16");
    CHECK_THAT(tessera_run_reset(r, 0.2, &error) == TESSERA_OK);
    works(r);
    chain.faults.broken_stream = true;
    lose_one(r);
    CHECK_SAYS(error, TESSERA_NO_DEVICE, "device 0 (board0): results of event 2: DMA: decode error");
    CHECK_THAT(tessera_run_reset(r, 0.2, &error) == TESSERA_OK && chain.restarts == 1);
    works(r);
    close_one(r);
}

static void what_cannot_be_reset_says_so(void)
{
    tessera_runner *r = open_one(1);
    chain.faults.no_results = chain.faults.no_restart = true;
    lose_one(r);
    CHECK_THAT(tessera_run_reset(r, 0.1, &error) == TESSERA_UNSUPPORTED);
    CHECK_SAYS(error, TESSERA_UNSUPPORTED, "device 0 (board0): hard reset: the reset is not connected");
    CHECK_THAT(flaky_submit(r, 2, 1, 0, NULL, &error) == TESSERA_UNSUPPORTED);
    chain.faults.no_restart = false;
    CHECK_THAT(tessera_run_reset(r, 0.1, &error) == TESSERA_OK);
    works(r);
    chain.faults.stuck_reset = true;
    CHECK_THAT(tessera_run_reset(r, 0.1, &error) == TESSERA_OK && chain.restarts == 2); /* the soft one did not end */
    works(r);
    close_one(r);
}

static void a_reset_keeps_events(void)
{
    tessera_runner *r = open_one(1);
    tessera_run_result result;
    for (int i = 0; i < 3; i++)
        CHECK_THAT(flaky_submit(r, i, 1 + i, 0, NULL, &error) == TESSERA_OK);
    CHECK_THAT(tessera_run_reset(r, 1, &error) == TESSERA_OK && chain.resets == 1);
    for (int i = 0; i < 3; i++)
        CHECK_THAT(flaky_wait_for(r, TESSERA_RUN_NEXT, 1, &result, &error) == TESSERA_OK && result.number == (uint64_t)i);
    close_one(r);
}

static void registers_that_do_not_answer_are_an_error(void)
{
    tessera_runner *r = open_one(2);
    uint32_t value;
    CHECK_THAT(tessera_run_read(r, 1, TS_RUN_REG_BUILD_LO, &value, &error) == TESSERA_OK && value == 0x89abcdf1);
    CHECK_THAT(tessera_run_read(r, 1, 0x1002, &value, &error) == TESSERA_USAGE);
    chain.faults.no_registers = true;
    CHECK_THAT(tessera_run_read(r, 1, TS_RUN_REG_STATUS, &value, &error) == TESSERA_NO_DEVICE);
    CHECK_SAYS(error, TESSERA_NO_DEVICE, "device 1 (board1): reading STATUS at 0x048: SLVERR");
    CHECK_THAT(tessera_run_write(r, 0, TS_RUN_REG_CONTROL, 1, &error) == TESSERA_NO_DEVICE);
    CHECK_SAYS(error, TESSERA_NO_DEVICE, "device 0 (board0): writing 0x1 to CONTROL at 0x040: SLVERR");
    close_one(r);
}

static void another_build_is_refused(void)
{
    flaky_chain_make(&chain);
    chain.build += 16;
    CHECK_THAT(!flaky_open(&chain, 1, 4, 0.05, &error) && chain.opened == 0);
    CHECK_SAYS(error, TESSERA_NO_DEVICE, "device 0 (board0): BUILD at 0x008 is 0123456789abce00");
    chain.faults.no_registers = true;
    CHECK_THAT(!flaky_open(&chain, 1, 4, 0.05, &error) && chain.opened == 0);
    CHECK_SAYS(error, TESSERA_NO_DEVICE, "reading MAGIC at 0x000");
}

/* Another process was killed while its events were inside. */
static void what_somebody_left_is_thrown_away(void)
{
    tessera_runner *r = open_one(1);
    CHECK_THAT(flaky_submit(r, 1, 5, 0, NULL, &error) == TESSERA_OK && flaky_submit(r, 2, 4, 0, NULL, &error) == TESSERA_OK);
    CHECK_THAT(chain.count == 2);
    ts_run_destroy(r);
    CHECK_THAT(chain.count == 2);
    r = flaky_open(&chain, 1, NEXT_DEPTH, 0.05, &error);
    CHECK_THAT(r && chain.count == 0 && chain.resets == 1);
    works(r);
    close_one(r);
}

static void options_are_checked(void)
{
    tessera_runner *r;
    tessera_run_open_options o = TESSERA_INIT(tessera_run_open_options);
    CHECK_THAT(tessera_run_open(&o, &r, &error) == TESSERA_USAGE && !r);
    o.package = flaky_package(1);
    o.backend = "nothing:at all";
    CHECK_THAT(tessera_run_open(&o, &r, &error) == TESSERA_USAGE);
    CHECK_SAYS(error, TESSERA_USAGE, "backend: there is no \"nothing:at all\"");
    o.backend = "emulator";
    o.compiler = "/nowhere/libtessera.so";
    CHECK_THAT(tessera_run_open(&o, &r, &error) == TESSERA_NO_TOOL);
    o.package = "/nowhere";
    CHECK_THAT(tessera_run_open(&o, &r, &error) == TESSERA_NO_FILE);
    o.depth = -1;
    CHECK_THAT(tessera_run_open(&o, &r, &error) == TESSERA_USAGE);
    CHECK_THAT(strcmp(tessera_run_code_name(TESSERA_TIMED_OUT), "timed out") == 0 &&
               strcmp(tessera_run_code_name((tessera_code)99), "unknown") == 0);
}

int main(void)
{
#define CASE(name) \
    { \
#name, name \
    }
    static const check_case cases[] = {CASE(events_come_back_by_number_and_in_order),
                                       CASE(too_many_hits_are_refused_in_their_turn),
                                       CASE(values_are_standardised_and_quantised),
                                       CASE(too_little_room_keeps_the_result),
                                       CASE(a_hang_is_an_error_with_device_and_registers),
                                       CASE(hits_that_are_not_taken_are_an_error),
                                       CASE(late_results_are_not_those_of_later_events),
                                       CASE(what_is_out_of_step_is_an_error),
                                       CASE(what_cannot_be_reset_says_so),
                                       CASE(a_reset_keeps_events),
                                       CASE(registers_that_do_not_answer_are_an_error),
                                       CASE(another_build_is_refused),
                                       CASE(what_somebody_left_is_thrown_away),
                                       CASE(options_are_checked)};
    const int failed = check_all(cases, sizeof cases / sizeof *cases);
    flaky_package_remove(flaky_package(1));
    return failed;
}
