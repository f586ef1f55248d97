#include "ref/mask_watch.h"

#include <string.h>

static void mark(ts_mask_watch *watch, const ts_data_mask *mask, const ts_tensor *data)
{
    int64_t stride = mask->stride;
    for (int i = 0; i < mask->stride_hits; i++)
        stride *= watch->hits;
    const int64_t count = ts_count(data);
    for (int64_t i = 0; i < count; i++) {
        if (ts_get_real(data, i) == mask->quiet)
            continue;
        if (stride > 0)
            watch->fires[i / stride % watch->hits] = true;
        else
            memset(watch->fires, true, (size_t)watch->hits);
    }
}

void ts_mask_watch_tap(void *user, const ts_value *value, const ts_tensor *data)
{
    ts_mask_watch *watch = user;
    for (int i = 0; i < watch->enc->data_masks; i++)
        if (strcmp(watch->enc->data_mask[i].value, value->name) == 0)
            mark(watch, &watch->enc->data_mask[i], data);
}
