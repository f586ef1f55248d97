/* Back end "xrt" against a stub of XRT's C interface, a library that is opened as the real one would be: the calls' order, sizes, alignment
   and banks, and failures. Nothing, where XRT's headers are not there. */
#include <dlfcn.h>

#include "flaky.h"
#include "xrt_stub.h"

#ifdef TS_RUN_XRT

static xrt_stub_state *stub;
static tessera_error error;

static tessera_runner *open_it(const char *arguments)
{
    char backend[1024];
    tessera_runner *r;
    tessera_run_open_options o = TESSERA_INIT(tessera_run_open_options);
    snprintf(backend, sizeof backend, "xrt:%s,library=%s", arguments, TS_XRT_STUB);
    o.package = flaky_package(1);
    o.backend = backend;
    o.depth = 5;
    o.timeout = 0.05;
    tessera_run_open(&o, &r, &error);
    return r;
}

static void closed(void)
{
    CHECK_THAT(stub->open == 0 && stub->kernels == 0 && stub->buffers == 0 && stub->runs == 0);
}

static void events_go_through_the_kernels(void)
{
    tessera_run_result result;
    tessera_runner *r = open_it("3,xclbin=image.xclbin");
    if (!r)
        fprintf(stderr, "%s\n", error.message);
    CHECK_THAT(r);
    for (int i = 0; i < 60; i++) {
        CHECK_THAT(flaky_submit(r, i, 1 + i % FLAKY_MAX_TOKENS, 0, NULL, &error) == TESSERA_OK);
        if (i % 4 == 3)
            for (int k = 0; k < 4; k++)
                CHECK_THAT(flaky_wait_for(r, TESSERA_RUN_NEXT, 1, &result, &error) == TESSERA_OK);
    }
    tessera_run_close(r);
    closed();
    CHECK_THAT(stub->left_running == 0); /* no kernel waits for an event that does not come */
}

static void failures_are_said(void)
{
    tessera_run_result result;
    tessera_runner *r = open_it("3,xclbin=image.xclbin");
    CHECK_THAT(r);
    stub->hang = true;
    CHECK_THAT(flaky_submit(r, 1, 2, 0, NULL, &error) == TESSERA_OK && flaky_wait_for(r, 0, 1, &result, &error) == TESSERA_TIMED_OUT);
    CHECK_THAT(tessera_run_reset(r, 0.1, &error) == TESSERA_TIMED_OUT);
    CHECK_SAYS(error, TESSERA_TIMED_OUT, "back end xrt has no hard reset: reset device 0 (board0) from outside");
    CHECK_THAT(flaky_submit(r, 1, 2, 0, NULL, &error) == TESSERA_TIMED_OUT);
    stub->hang = false; /* somebody did */
    CHECK_THAT(tessera_run_reset(r, 0.1, &error) == TESSERA_OK);
    CHECK_THAT(flaky_submit(r, 2, 3, 0, NULL, &error) == TESSERA_OK && flaky_wait_for(r, 1, 1, &result, &error) == TESSERA_OK);
    stub->kernel_error = true;
    CHECK_THAT(flaky_submit(r, 2, 3, 0, NULL, &error) == TESSERA_NO_DEVICE ||
               flaky_wait_for(r, TESSERA_RUN_NEXT, 1, &result, &error) == TESSERA_NO_DEVICE);
    CHECK_THAT(strstr(error.message, "ends in state 5"));
    stub->kernel_error = false;
    tessera_run_close(r);
    closed();
    r = open_it("3,xclbin=image.xclbin");
    CHECK_THAT(r);
    stub->long_result = true;
    CHECK_THAT(flaky_submit(r, 2, 3, 0, NULL, &error) == TESSERA_OK && flaky_wait_for(r, 0, 1, &result, &error) == TESSERA_NO_DEVICE);
    CHECK_SAYS(error, TESSERA_NO_DEVICE, "kernel results_out says 1004 words, more than an event has");
    stub->long_result = false;
    stub->register_error = -5;
    uint32_t value;
    CHECK_THAT(tessera_run_read(r, 0, TS_RUN_REG_STATUS, &value, &error) == TESSERA_NO_DEVICE);
    CHECK_SAYS(error, TESSERA_NO_DEVICE, "reading STATUS at 0x048: xrtKernelReadRegister gives -5");
    stub->register_error = 0;
    tessera_run_close(r);
    closed();
}

static void what_is_not_there_is_said(void)
{
    CHECK_THAT(!open_it("2,xclbin=image.xclbin"));
    CHECK_SAYS(error, TESSERA_NO_DEVICE, "XRT has no card 2");
    CHECK_THAT(!open_it("3"));
    CHECK_SAYS(error, TESSERA_NO_DEVICE, "vitis/flaky_board.xclbin");
    CHECK_THAT(!open_it("3,colour=red"));
    CHECK_SAYS(error, TESSERA_USAGE, "xrt does not know \"colour\"");
    static const char *const kernels[] = {NULL, "flaky_board_kernel", "hits_in", "results_out"};
    for (int k = 1; k <= 3; k++) {
        stub->missing_kernel = k;
        CHECK_THAT(!open_it("3,xclbin=image.xclbin"));
        CHECK_SAYS(error, TESSERA_NO_DEVICE, kernels[k]);
        closed();
    }
    stub->missing_kernel = 0;
    stub->no_memory = true;
    CHECK_THAT(!open_it("3,xclbin=image.xclbin"));
    CHECK_SAYS(error, TESSERA_NO_DEVICE, "of the card's memory for kernel hits_in are not there");
    stub->no_memory = false;
    closed();
    flaky_status_word = false;
    CHECK_THAT(!open_it("3,xclbin=image.xclbin"));
    CHECK_SAYS(error, TESSERA_USAGE, "package it with a status word");
}

int main(void)
{
    void *library = dlopen(TS_XRT_STUB, RTLD_NOW | RTLD_LOCAL); /* the one that the back end gets */
    stub = library ? dlsym(library, "xrt_stub") : NULL;
    CHECK_THAT(stub);
    flaky_status_word = true;
    static const check_case cases[] = {{"events_go_through_the_kernels", events_go_through_the_kernels},
                                       {"failures_are_said", failures_are_said},
                                       {"what_is_not_there_is_said", what_is_not_there_is_said}};
    const int failed = check_all(cases, sizeof cases / sizeof *cases);
    flaky_package_remove(flaky_package(1));
    dlclose(library);
    return failed;
}

#else

int main(void)
{
    printf("built without XRT's headers: nothing to test\n");
    return 0;
}

#endif
