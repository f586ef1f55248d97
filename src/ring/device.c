#define TS_FAIL_CODE TS_BAD_FILE
#include "ring/device.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/asset.h"
#include "base/file.h"
#include "base/json.h"

enum { MAX_DEVICES = 256, MAX_DIES = 64 };

typedef struct reader {
    ts_arena *arena;
    const json_t *object;
    const char *path;
    ts_err *err;
} reader;

static const json_t *field(const reader *r, const char *key)
{
    const json_t *value = json_object_get(r->object, key);
    if (!value)
        ts_fail(r->err, "%s: no \"%s\" (docs/devices.md lists the fields of a device)", r->path, key);
    return value;
}

static bool read_text(const reader *r, const char *key, const char **out)
{
    const char *text = json_string_value(field(r, key));
    if (!text || !*text)
        return ts_fail(r->err, "%s: \"%s\" must be a text", r->path, key);
    *out = ts_strdup(r->arena, text);
    return true;
}

static bool read_number(const reader *r, const char *key, double lo, double *out)
{
    const json_t *value = field(r, key);
    const double x = json_is_number(value) ? json_number_value(value) : NAN;
    if (!(x >= lo && x <= 1e9))
        return ts_fail(r->err, "%s: \"%s\" must be a number of at least %g", r->path, key, lo);
    *out = x;
    return true;
}

static bool read_int(const reader *r, const char *key, int lo, int *out)
{
    double x = 0;
    if (!read_number(r, key, lo, &x))
        return false;
    if (x != floor(x))
        return ts_fail(r->err, "%s: \"%s\" must be an integer", r->path, key);
    *out = (int)x;
    return true;
}

/* An object's members are those of the list; what is mistyped would otherwise not be noticed. */
static bool only_known(const reader *r, const char *where, const char *const *known)
{
    return ts_json_only(r->object, r->path, where, known, r->err);
}

static bool read_object(const reader *r, const char *key, const char *const *known, reader *part)
{
    const json_t *object = field(r, key);
    *part = (reader){r->arena, object, r->path, r->err};
    if (!json_is_object(object))
        return ts_fail(r->err, "%s: \"%s\" must be an object", r->path, key);
    return only_known(part, key, known);
}

/* A name is a file's, too, where the device goes with a design. */
static bool check_name(const reader *r, const char *name)
{
    if (strlen(name) > 60 || name[0] == '.' ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != strlen(name))
        return ts_fail(r->err, "%s: \"name\" is \"%s\"; it has letters, digits, '-', '_' and '.', 60 at most", r->path, name);
    return true;
}

static bool read_link(const reader *r, ts_device *d)
{
    static const char *const known[] = {"mbits", "ns", "count", NULL};
    reader link;
    return !json_object_get(r->object, "link") ||
           (read_object(r, "link", known, &link) && read_number(&link, "mbits", 1, &d->link_mbits) &&
            read_number(&link, "ns", 0, &d->link_ns) && (!json_object_get(link.object, "count") || read_int(&link, "count", 1, &d->links)));
}

/* Not every device has a host of its own. */
static bool read_host(const reader *r, ts_device *d)
{
    static const char *const known[] = {"mbits", "ns", "what", NULL};
    reader host;
    return !json_object_get(r->object, "host") || (read_object(r, "host", known, &host) && read_number(&host, "mbits", 1, &d->host_mbits) &&
                                                   read_number(&host, "ns", 0, &d->host_ns) && read_text(&host, "what", &d->host));
}

static bool read_board(const reader *r, ts_device_board *b)
{
    static const char *const known[] = {"processor", "parts", "connections", NULL};
    reader board;
    if (!json_object_get(r->object, "board"))
        return true;
    if (!read_object(r, "board", known, &board) || !read_text(&board, "processor", &b->processor) ||
        (json_object_get(board.object, "connections") && !read_text(&board, "connections", &b->connections)))
        return false;
    if (strcmp(b->processor, "zynq_ultra_ps_e") != 0 && strcmp(b->processor, "processing_system7") != 0)
        return ts_fail(r->err, "%s: \"processor\" is \"%s\"; known are zynq_ultra_ps_e and processing_system7", r->path, b->processor);
    const json_t *parts = field(&board, "parts");
    if (!json_is_array(parts) || json_array_size(parts) < 1 || json_array_size(parts) > TS_BOARD_PARTS)
        return ts_fail(r->err, "%s: \"parts\" must be a list of one to %d names", r->path, TS_BOARD_PARTS);
    for (size_t i = 0; i < json_array_size(parts); i++) {
        const char *part = json_string_value(json_array_get(parts, i));
        if (!part || strspn(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:") != strlen(part) || !*part)
            return ts_fail(r->err, "%s: \"parts\" must be names such as xilinx.com:zcu102:part0", r->path);
        b->part[b->parts++] = ts_strdup(r->arena, part);
    }
    return true;
}

static bool read_card(const reader *r, int dies, ts_device_card *c)
{
    static const char *const known[] = {"platform", "memory", "die_of_bank", NULL};
    reader card;
    if (!json_object_get(r->object, "card"))
        return true;
    if (!read_object(r, "card", known, &card) || !read_text(&card, "platform", &c->platform) || !read_text(&card, "memory", &c->memory))
        return false;
    if (strcmp(c->memory, "HBM") != 0 && strcmp(c->memory, "DDR") != 0)
        return ts_fail(r->err, "%s: \"memory\" is \"%s\"; known are HBM and DDR", r->path, c->memory);
    const json_t *die = field(&card, "die_of_bank");
    if (!json_is_array(die) || json_array_size(die) < 1 || json_array_size(die) > TS_CARD_BANKS)
        return ts_fail(r->err, "%s: \"die_of_bank\" must be a list of one to %d dies", r->path, TS_CARD_BANKS);
    for (c->banks = 0; c->banks < (int)json_array_size(die); c->banks++) {
        const json_t *at = json_array_get(die, (size_t)c->banks);
        if (!json_is_integer(at) || json_integer_value(at) < 0 || json_integer_value(at) >= dies)
            return ts_fail(r->err, "%s: \"die_of_bank\" must name dies from 0 to %d", r->path, dies - 1);
        c->die[c->banks] = (int)json_integer_value(at);
    }
    return true;
}

/* Resources of one die, in the file's blocks of block RAM. */
static bool read_die(const reader *r, int bram_kbit, ts_resources *die)
{
    double brams = 0;
    if (!read_number(r, "lut", 0, &die->lut) || !read_number(r, "ff", 0, &die->ff) || !read_number(r, "dsp", 0, &die->dsp) ||
        !read_number(r, "bram", 0, &brams) || !read_number(r, "uram", 0, &die->uram))
        return false;
    die->bram36 = floor(brams * bram_kbit / 36);
    return true;
}

/* Where the file does not say what each die has, all have the same. The file's LUT RAM is spread as its LUTs are. */
static bool read_dies(const reader *r, ts_device *d)
{
    static const char *const known[] = {"lut", "ff", "dsp", "bram", "uram", NULL};
    if (d->slr > MAX_DIES)
        return ts_fail(r->err, "%s: \"slr\" is %d; a device has %d dies at most", r->path, d->slr, MAX_DIES);
    ts_resources *die = TS_NEW_N(r->arena, ts_resources, d->slr), sum = {0};
    const json_t *list = json_object_get(r->object, "dies");
    if (list && (!json_is_array(list) || json_array_size(list) != (size_t)d->slr))
        return ts_fail(r->err, "%s: \"dies\" must be a list of %d objects, as many as \"slr\" says", r->path, d->slr);
    for (int i = 0; i < d->slr; i++) {
        const reader one = {r->arena, list ? json_array_get(list, (size_t)i) : NULL, r->path, r->err};
        if (list && !json_is_object(one.object))
            return ts_fail(r->err, "%s: \"dies\" must be a list of objects", r->path);
        if (list && (!only_known(&one, "dies", known) || !read_die(&one, d->bram_kbit, &die[i])))
            return false;
#define X(field, label) die[i].field = list ? die[i].field : d->whole.field / d->slr;
        TS_RESOURCES(X)
#undef X
        die[i].lutram = d->whole.lutram * die[i].lut / d->whole.lut;
#define X(field, label) sum.field += die[i].field;
        TS_RESOURCES(X)
#undef X
    }
#define X(field, label) \
    if (fabs(sum.field - d->whole.field) > .5) \
        return ts_fail(r->err, "%s: the dies have %g " label " together, the device %g", r->path, sum.field, d->whole.field);
    TS_RESOURCES(X)
#undef X
    d->die = die;
    return true;
}

/* What a card's shell leaves: shares of the whole device. LUT RAM is LUTs, so it shrinks as they do. */
static bool read_shell(const reader *r, ts_device *d)
{
    static const char *const known[] = {"lut", "ff", "dsp", "bram", "uram", "what", NULL}, *const share[] = {"lut", "ff", "dsp", "bram",
                                                                                                             "uram"};
    double *const part[] = {&d->has.lut, &d->has.ff, &d->has.dsp, &d->has.bram36, &d->has.uram};
    reader shell;
    if (!json_object_get(r->object, "shell"))
        return true;
    if (!read_object(r, "shell", known, &shell) || !read_text(&shell, "what", &d->shell))
        return false;
    for (int i = 0; i < 5; i++) {
        double left = 1;
        if (json_object_get(shell.object, share[i]) && !read_number(&shell, share[i], 0, &left))
            return false;
        if (!(left > 0 && left <= 1))
            return ts_fail(r->err, "%s: \"%s\" of \"shell\" is the share that is left, above 0 and at most 1", r->path, share[i]);
        *part[i] = floor(*part[i] * left + 1e-6);
        d->has.lutram *= i == 0 ? left : 1;
    }
    return true;
}

static bool read_device(const reader *r, ts_device *d)
{
    static const char *const families[] = {"xcup", "xcu", "xc7", "versal", "ecp5", "ice40"};
    static const char *const known[] = {"name",
                                        "title",
                                        "part",
                                        "source",
                                        "yosys_family",
                                        "lut",
                                        "ff",
                                        "lutram",
                                        "dsp",
                                        "bram",
                                        "uram",
                                        "slr",
                                        "dies",
                                        "shell",
                                        "clock_mhz",
                                        "memory_gbytes_per_s",
                                        "memory_latency_ns",
                                        "link",
                                        "host",
                                        "board",
                                        "card",
                                        NULL};
    static const char *const of_dsp[] = {"kind", "count", "a_bits", "b_bits", "mhz", NULL}, *const of_bram[] = {"kind", "count", "kbit",
                                                                                                                NULL};
    reader dsp, bram;
    double brams = 0;
    if (!only_known(r, "", known) || !read_object(r, "dsp", of_dsp, &dsp) || !read_object(r, "bram", of_bram, &bram) || !read_link(r, d) ||
        !read_text(r, "name", &d->name) || !read_text(r, "title", &d->title) || !read_text(r, "part", &d->part) ||
        !read_text(r, "source", &d->source) || !read_text(r, "yosys_family", &d->yosys_family) || !read_number(r, "lut", 1, &d->has.lut) ||
        !read_number(r, "ff", 1, &d->has.ff) || !read_number(r, "lutram", 0, &d->lutram) || !read_number(r, "uram", 0, &d->has.uram) ||
        !read_int(r, "slr", 1, &d->slr) || !read_number(r, "clock_mhz", 1, &d->clock_mhz) ||
        !read_number(r, "memory_gbytes_per_s", 0, &d->memory_gbytes_per_s) || !read_text(&dsp, "kind", &d->dsp_kind) ||
        !read_number(&dsp, "count", 0, &d->has.dsp) || !read_int(&dsp, "a_bits", 2, &d->dsp_a) || !read_int(&dsp, "b_bits", 2, &d->dsp_b) ||
        !read_text(&bram, "kind", &d->bram_kind) || !read_number(&bram, "count", 0, &brams) || !read_int(&bram, "kbit", 1, &d->bram_kbit) ||
        !check_name(r, d->name) || !read_host(r, d))
        return false;
    if (json_object_get(dsp.object, "mhz") && !read_number(&dsp, "mhz", 1, &d->dsp_mhz))
        return false;
    if (json_object_get(r->object, "memory_latency_ns") && !read_number(r, "memory_latency_ns", 0, &d->memory_ns))
        return false;
    if (d->lutram > d->has.lut)
        return ts_fail(r->err, "%s: \"lutram\" is %.0f, and there are %.0f LUTs in all", r->path, d->lutram, d->has.lut);
    d->has.lutram = d->lutram > 0 ? d->lutram : d->has.lut;
    d->has.bram36 = floor(brams * d->bram_kbit / 36);
    d->whole = d->has;
    if (!read_dies(r, d) || !read_shell(r, d) || !read_board(r, &d->board) || !read_card(r, d->slr, &d->card))
        return false;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (strcmp(d->yosys_family, families[i]) == 0)
            return true;
    return ts_fail(r->err, "%s: \"yosys_family\" is \"%s\"; known are xcup, xcu, xc7, versal, ecp5 and ice40", r->path, d->yosys_family);
}

static ts_device *parse(ts_arena *arena, const char *path, const char *text, ts_err *err)
{
    json_t *root = ts_json_parse(path, text, strlen(text), err);
    ts_device *device = TS_NEW(arena, ts_device);
    const bool ok = root && read_device(&(reader){arena, root, path, err}, device);
    json_decref(root);
    return ok ? device : NULL;
}

const ts_device *const *ts_device_list(ts_arena *arena, int *count)
{
    const ts_device **list = TS_NEW_N(arena, const ts_device *, MAX_DEVICES);
    *count = 0;
    for (const ts_asset *a = ts_assets; a->name; a++) {
        if (strncmp(a->name, "devices/", 8) != 0)
            continue;
        ts_err err = {0};
        list[*count] = parse(arena, a->name, a->data, &err);
        CHECK(list[*count] && *count < MAX_DEVICES - 1); /* embedded files are tested when they are built in */
        ++*count;
    }
    return list;
}

const ts_device *ts_device_find(ts_arena *arena, const char *name, ts_err *err)
{
    const size_t length = strlen(name);
    if (strchr(name, '/') || (length > 5 && strcmp(name + length - 5, ".json") == 0)) {
        size_t size = 0;
        const char *text = ts_file_read_most(arena, name, TS_JSON_MOST, "a JSON file", &size, err);
        ts_device *device = text ? parse(arena, name, text, err) : NULL;
        if (device)
            device->text = text;
        return device;
    }
    int count = 0;
    const ts_device *const *list = ts_device_list(arena, &count);
    const char *known = "";
    for (int i = 0; i < count; i++) {
        if (strcmp(list[i]->name, name) == 0)
            return list[i];
        known = ts_printf(arena, "%s%s%s", known, i ? ", " : "", list[i]->name);
    }
    ts_fail_as(err, TS_USAGE, "unknown device \"%s\"; known are %s; any other: give the path of a JSON file (docs/devices.md)", name,
               known);
    return NULL;
}

bool ts_device_is_xilinx(const ts_device *device)
{
    return device->yosys_family[0] == 'x';
}

bool ts_device_is_ultrascale(const ts_device *device)
{
    return strncmp(device->yosys_family, "xcu", 3) == 0 || strcmp(device->yosys_family, "versal") == 0;
}

int ts_device_dies(const ts_device *device, const ts_resources *need, double cap)
{
    ts_resources sum = {0};
    for (int dies = 1; dies < device->slr; dies++) {
        bool enough = true;
#define X(field, label) \
    sum.field += device->die[dies - 1].field; \
    enough = enough && need->field <= cap * sum.field;
        TS_LIMITS(X)
#undef X
        if (enough)
            return dies;
    }
    return device->slr;
}

bool ts_device_takes_clock(const ts_device *device, double clock_mhz, ts_err *err)
{
    if (device->dsp_mhz <= 0 || clock_mhz <= device->dsp_mhz)
        return true;
    return ts_fail_as(err, TS_USAGE, "a clock of %g MHz: the %s of %s take %g MHz at most; give a lower clock", clock_mhz, device->dsp_kind,
                      device->name, device->dsp_mhz);
}

bool ts_dsp_packs(const ts_device *device, int shared_bits, bool shared_signed, int pair_bits)
{
    const int wide = device->dsp_a > device->dsp_b ? device->dsp_a : device->dsp_b;
    const int narrow = device->dsp_a > device->dsp_b ? device->dsp_b : device->dsp_a;
    /* A product has as many bits as both factors, less one where both are signed: no factor of the pair is the most negative number. */
    const int product = shared_bits + pair_bits - shared_signed;
    return product + pair_bits <= wide && shared_bits + !shared_signed <= narrow;
}

double ts_device_load(const ts_device *device, const ts_resources *need, const char **resource)
{
    double worst = -1;
#define X(field, label) \
    { \
        const double load = need->field <= 0 ? 0 : device->has.field > 0 ? need->field / device->has.field : INFINITY; \
        if (load > worst) { \
            worst = load; \
            if (resource) \
                *resource = label; \
        } \
    }
    TS_LIMITS(X)
#undef X
    return worst;
}
