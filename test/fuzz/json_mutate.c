/* Changes JSON as JSON: a member goes, doubles its value, gets another type or an odd number. A third of the mutations are libFuzzer's own,
   of bytes; the first byte, which says what the file is, stays as it is in two of three. */
#include <jansson.h>

#include "fuzz.h"

static const double odd[] = {
    0, 1, -1, 2, 0.5, -0.5, 1e-300, 1e300, 1e9, 65536, 65535, 127, 4096, 2147483647, -2147483648.0, 9007199254740992.0, 1e18};
static const char *const text[] = {"", "x", "..", "/", "auto", "zcu102", "mean", "part0", "\\n", "a\"b", "relu", "hits", "\xc3\xa9"};
#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

static json_t *fresh(uint64_t *random)
{
    switch (fuzz_below(random, 9)) {
    case 0:
        return json_null();
    case 1:
        return json_boolean(fuzz_below(random, 2));
    case 2:
        return json_string(text[fuzz_below(random, COUNT(text))]);
    case 3:
        return json_array();
    case 4:
        return json_object();
    case 5:
        return json_integer(fuzz_below(random, 40) - 5);
    case 6:
        return json_integer((json_int_t)fuzz_random(random));
    default:
        return json_real(odd[fuzz_below(random, COUNT(odd))]);
    }
}

static json_t *nudged(const json_t *value, uint64_t *random)
{
    if (json_is_integer(value) && fuzz_below(random, 2))
        return json_integer((json_int_t)((uint64_t)json_integer_value(value) + (uint64_t)(fuzz_below(random, 5) - 2)));
    return fresh(random);
}

/* Walks down by chance and changes something there. */
static void change(json_t *at, uint64_t *random)
{
    const size_t size = json_is_object(at) ? json_object_size(at) : json_array_size(at);
    size_t pick = size ? (size_t)fuzz_below(random, (int)size) : 0;
    if (json_is_array(at)) {
        json_t *child = json_array_get(at, pick);
        if (size && (json_is_object(child) || json_is_array(child)) && fuzz_below(random, 4))
            change(child, random);
        else if (size == 0 || fuzz_below(random, 4) == 0)
            json_array_append_new(at, size ? json_deep_copy(child) : fresh(random));
        else if (fuzz_below(random, 4) == 0)
            json_array_remove(at, pick);
        else
            json_array_set_new(at, pick, nudged(child, random));
        return;
    }
    if (!json_is_object(at) || size == 0)
        return;
    void *it = json_object_iter(at);
    while (pick-- > 0)
        it = json_object_iter_next(at, it);
    json_t *child = json_object_iter_value(it);
    if ((json_is_object(child) || json_is_array(child)) && fuzz_below(random, 5))
        change(child, random);
    else if (fuzz_below(random, 5) == 0)
        json_object_del(at, json_object_iter_key(it));
    else if (fuzz_below(random, 12) == 0)
        json_object_set_new(at, "odd", json_deep_copy(child));
    else
        json_object_iter_set_new(at, it, nudged(child, random));
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    uint64_t random = 88172645463325252ULL ^ ((uint64_t)seed << 20);
    json_error_t where;
    json_t *root = size > 1 && fuzz_below(&random, 3) ? json_loadb((const char *)data + 1, size - 1, 0, &where) : NULL;
    if (!root)
        return LLVMFuzzerMutate(data, size, max_size);
    for (int n = 1 + fuzz_below(&random, 3); n > 0; n--)
        change(root, &random);
    char *made = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    const size_t length = made ? strlen(made) : 0;
    if (!made || length + 1 > max_size) {
        free(made);
        return LLVMFuzzerMutate(data, size, max_size);
    }
    memcpy(data + 1, made, length);
    free(made);
    return length + 1;
}
