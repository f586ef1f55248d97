#define TS_FAIL_CODE TS_NO_TOOL
#include "sim/unity.h"

#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

/* Bytes of C++: fewer are not worth a file of their own, more take the compiler too much memory (about 60 bytes a byte). */
enum { LEAST = 1 << 20, MOST = 4 << 20, PARTS = 512 };

typedef struct part {
    const char *text; /* the include lines */
    long long bytes;
} part;

/* Of one list of Vring_classes.mk. */
typedef struct classes {
    int count;
    const char **name;
    long long *bytes, total;
} classes;

static bool add_class(ts_arena *arena, const char *work, const char *name, classes *c, ts_err *err)
{
    struct stat st;
    if (stat(ts_printf(arena, "%s/%s.cpp", work, name), &st) != 0)
        return ts_fail(err, "%s: Verilator lists %s.cpp, which is not there", work, name);
    c->name[c->count] = name;
    c->bytes[c->count++] = (long long)st.st_size;
    c->total += (long long)st.st_size;
    return true;
}

/* "VM_CLASSES_FAST += \" and lines of one name each. */
static bool read_classes(ts_arena *arena, const char *work, classes *fast, classes *slow, ts_err *err)
{
    size_t size;
    char *text = ts_file_read(arena, ts_printf(arena, "%s/Vring_classes.mk", work), &size, err), *rest = NULL;
    if (!text)
        return false;
    classes *to = NULL, *const both[] = {fast, slow};
    for (int i = 0; i < 2; i++)
        *both[i] = (classes){.name = TS_NEW_N(arena, const char *, size), .bytes = TS_NEW_N(arena, long long, size)};
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, "VM_", 3) == 0) {
            const bool ours = strncmp(line, "VM_CLASSES_", 11) == 0 || strncmp(line, "VM_SUPPORT_", 11) == 0;
            to = !ours ? NULL : strncmp(line + 11, "FAST", 4) == 0 ? fast : slow;
        } else if (to && *line == '\t') {
            line[1 + strcspn(line + 1, " \\")] = 0;
            if (line[1] && !add_class(arena, work, line + 1, to, err))
                return false;
        }
    }
    return fast->count > 0 || ts_fail(err, "%s: Verilator wrote no list of its files (Vring_classes.mk): is the disk full?", work);
}

/* The names of the files, without ".cpp" and with spaces between. */
static const char *write_parts(ts_arena *arena, const char *work, const char *kind, const classes *c, int processors, ts_err *err)
{
    part list[PARTS] = {{0}};
    const long long few = c->total / LEAST + 1, many = c->total / MOST + 1;
    const long long wanted = few < processors ? few : processors;
    int count = (int)(wanted > many ? wanted : many < PARTS ? many : PARTS);
    count = count < c->count ? count : c->count;
    for (int i = 0; i < c->count; i++) {
        part *least = &list[0];
        for (int p = 1; p < count; p++)
            least = list[p].bytes < least->bytes ? &list[p] : least;
        least->text = ts_printf(arena, "%s#include \"%s.cpp\"\n", least->text ? least->text : "", c->name[i]);
        least->bytes += c->bytes[i];
    }
    const char *names = "";
    for (int p = 0; p < count; p++) {
        const char *name = ts_printf(arena, "%s_%d", kind, p);
        if (!ts_file_write(ts_printf(arena, "%s/%s.cpp", work, name), list[p].text, strlen(list[p].text), err))
            return NULL;
        names = ts_printf(arena, "%s%s%s", names, p ? " " : "", name);
    }
    return names;
}

const char *const *ts_unity_write(ts_arena *arena, const char *work, int processors, ts_err *err)
{
    classes fast, slow;
    if (!read_classes(arena, work, &fast, &slow, err))
        return NULL;
    const char *quick = write_parts(arena, work, "fast", &fast, processors, err),
               *rest = quick ? write_parts(arena, work, "slow", &slow, processors, err) : NULL;
    if (!rest)
        return NULL;
    const char **list = TS_NEW_N(arena, const char *, 6);
    list[0] = ts_printf(arena, "VM_CLASSES_FAST=%s", quick);
    list[1] = ts_printf(arena, "VM_CLASSES_SLOW=%s", rest);
    list[2] = "VM_SUPPORT_FAST=";
    list[3] = "VM_SUPPORT_SLOW=";
    list[4] = "VM_PARALLEL_BUILDS=1";
    return list;
}
