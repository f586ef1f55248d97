/* Stands for XRT in tests: a card with the three kernels of a package, which checks the order of calls, sizes, alignment, banks, and what
   is in memory when a kernel starts. xrt_stub_faults: what goes wrong. */
#include <stdarg.h>
#include <stdbool.h>

#include "check.h"

#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>
#include <xrt/xrt_kernel.h>

#include "xrt_stub.h"

xrt_stub_state xrt_stub;

enum { WORD = 8, HELD = 8, MOST = 12 };

typedef struct buffer {
    uint8_t host[1 << 16], card[1 << 16];
    size_t size;
    unsigned bank;
} buffer;

typedef enum { ENGINE = 1, HITS_IN, RESULTS_OUT } which;
typedef struct kernel {
    which is;
    buffer *memory, *lengths;
    unsigned events, stride, args;
    bool going, failed;
} kernel;

static kernel kernels[4];
static uint8_t result[HELD][1024];
static size_t words[HELD];
static int first, count;

xrtDeviceHandle xrtDeviceOpen(unsigned index)
{
    xrt_stub.open++;
    return index == 3 ? &xrt_stub : (xrt_stub.open--, NULL);
}

int xrtDeviceClose(xrtDeviceHandle device)
{
    CHECK_THAT(device == &xrt_stub && xrt_stub.open == 1 && xrt_stub.kernels == 0 && xrt_stub.buffers == 0 && xrt_stub.runs == 0);
    xrt_stub.open--;
    xrt_stub.loaded = false;
    return 0;
}

int xrtDeviceLoadXclbinFile(xrtDeviceHandle device, const char *name)
{
    CHECK_THAT(device == &xrt_stub);
    xrt_stub.loaded = strcmp(name, "image.xclbin") == 0;
    return xrt_stub.loaded ? 0 : -22;
}

int xrtDeviceGetXclbinUUID(xrtDeviceHandle device, xuid_t out)
{
    CHECK_THAT(xrt_stub.loaded);
    memset(out, 7, sizeof(xuid_t));
    first = count = 0;
    return 0;
}

static xrtKernelHandle open_kernel(const xuid_t id, const char *name, bool exclusive)
{
    static const char *const names[] = {NULL, "flaky_board_kernel", "hits_in", "results_out"};
    CHECK_THAT(xrt_stub.loaded && id[0] == 7);
    for (int k = ENGINE; k <= RESULTS_OUT; k++)
        if (strcmp(names[k], name) == 0 && k != xrt_stub.missing_kernel) {
            CHECK_THAT(exclusive == (k == ENGINE)); /* registers are for who has the kernel to himself */
            kernels[k] = (kernel){.is = (which)k};
            xrt_stub.kernels++;
            return &kernels[k];
        }
    return NULL;
}

xrtKernelHandle xrtPLKernelOpen(xrtDeviceHandle device, const xuid_t id, const char *name)
{
    return open_kernel(id, name, false);
}

xrtKernelHandle xrtPLKernelOpenExclusive(xrtDeviceHandle device, const xuid_t id, const char *name)
{
    return open_kernel(id, name, true);
}

int xrtKernelClose(xrtKernelHandle handle)
{
    xrt_stub.kernels--;
    return 0;
}

int xrtKernelArgGroupId(xrtKernelHandle handle, int arg)
{
    const kernel *k = handle;
    CHECK_THAT(arg < (k->is == ENGINE ? 3 : 2));
    return 10 * (int)k->is + arg;
}

int xrtKernelReadRegister(xrtKernelHandle handle, uint32_t at, uint32_t *value)
{
    CHECK_THAT(((kernel *)handle)->is == ENGINE && at % 4 == 0);
    *value = at == 0x000   ? 0x41534554
             : at == 0x004 ? 1 << 16
             : at == 0x008 ? 0x89abcdf0
             : at == 0x00c ? 0x01234567
             : at == 0x048 ? count == 0
                           : 0;
    return xrt_stub.register_error;
}

int xrtKernelWriteRegister(xrtKernelHandle handle, uint32_t at, uint32_t value)
{
    CHECK_THAT(((kernel *)handle)->is == ENGINE && at % 4 == 0);
    return xrt_stub.register_error;
}

xrtBufferHandle xrtBOAlloc(xrtDeviceHandle device, size_t size, xrtBufferFlags flags, xrtMemoryGroup group)
{
    CHECK_THAT(size > 0 && size % 4096 == 0 && size <= 1 << 16 && flags == 0);
    if (xrt_stub.no_memory)
        return NULL;
    buffer *b = calloc(1, sizeof *b);
    b->size = size;
    b->bank = (unsigned)group;
    xrt_stub.buffers++;
    return b;
}

int xrtBOFree(xrtBufferHandle handle)
{
    free(handle);
    xrt_stub.buffers--;
    return 0;
}

void *xrtBOMap(xrtBufferHandle handle)
{
    return ((buffer *)handle)->host;
}

uint64_t xrtBOAddress(xrtBufferHandle handle)
{
    return 0x100000;
}

int xrtBOSync(xrtBufferHandle handle, enum xclBOSyncDirection way, size_t size, size_t offset)
{
    buffer *b = handle;
    CHECK_THAT(size > 0 && offset + size <= b->size);
    if (way == XCL_BO_SYNC_BO_TO_DEVICE)
        memcpy(b->card + offset, b->host + offset, size);
    else
        memcpy(b->host + offset, b->card + offset, size);
    return xrt_stub.sync_error;
}

xrtRunHandle xrtRunOpen(xrtKernelHandle handle)
{
    xrt_stub.runs++;
    return handle;
}

int xrtRunSetArg(xrtRunHandle handle, int index, ...)
{
    kernel *k = handle;
    va_list list;
    va_start(list, index);
    CHECK_THAT(!k->going);
    if (index == 0)
        k->memory = va_arg(list, void *);
    else if (index == 1)
        k->lengths = va_arg(list, void *);
    else if (index == 2)
        k->events = va_arg(list, unsigned);
    else
        k->stride = va_arg(list, unsigned);
    va_end(list);
    k->args |= 1U << index;
    return index > 3 ? -1 : 0;
}

static void hits_in(kernel *k)
{
    uint32_t length;
    memcpy(&length, k->lengths->card, 4);
    const int hits = (int)length / 4, at = (first + count++) % HELD;
    CHECK_THAT(length % 4 == 0 && hits >= 1 && hits <= MOST && count <= HELD && length <= k->stride * WORD);
    for (int i = 0; i < hits; i++) {
        int16_t in[2];
        memcpy(in, k->memory->card + 4 * i, 4);
        const int32_t out[2] = {in[0], 3 * in[1] + hits};
        memcpy(result[at] + 8 * i, out, 8);
    }
    const uint32_t status[2] = {(uint32_t)hits << 8, 0};
    memcpy(result[at] + 8 * hits, status, 8);
    words[at] = (size_t)hits + 1;
}

int xrtRunStart(xrtRunHandle handle)
{
    kernel *k = handle;
    CHECK_THAT(!k->going && k->args == 15 && k->events == 1 && k->memory->bank == 10U * k->is && k->lengths->bank == 10U * k->is + 1);
    k->going = true;
    if (k->is == HITS_IN)
        hits_in(k);
    return 0;
}

static bool works(kernel *k)
{
    if (!k->going || xrt_stub.hang)
        return false;
    if (k->is == RESULTS_OUT) {
        if (count == 0)
            return false;
        const uint32_t n = (uint32_t)words[first] + (xrt_stub.long_result ? 1000 : 0);
        memset(k->memory->host, 0xee, k->memory->size); /* what is there before it is synchronised is not the result */
        memcpy(k->memory->card, result[first], words[first] * WORD);
        memcpy(k->lengths->card, &n, 4);
        first = (first + 1) % HELD;
        count--;
    }
    k->going = false;
    return true;
}

int xrtRunClose(xrtRunHandle handle)
{
    works(handle);
    xrt_stub.left_running += ((kernel *)handle)->going;
    xrt_stub.runs--;
    return 0;
}

enum ert_cmd_state xrtRunState(xrtRunHandle handle)
{
    kernel *k = handle;
    if (xrt_stub.kernel_error)
        return ERT_CMD_STATE_ERROR;
    if (k->going)
        works(k);
    return k->going ? ERT_CMD_STATE_RUNNING : ERT_CMD_STATE_COMPLETED;
}

enum ert_cmd_state xrtRunWaitFor(xrtRunHandle handle, unsigned milliseconds)
{
    CHECK_THAT(milliseconds > 0);
    return ERT_CMD_STATE_TIMEOUT;
}
