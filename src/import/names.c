/* Names in ONNX files: protobuf wants UTF-8, and its readers in C do not check. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "import/onnx_read.h"

static void plain_string(char **text, const void *otherwise)
{
    if (!*text || *text == otherwise || ts_text_is_plain(*text))
        return;
    ts_arena *scratch = ts_arena_new();
    const char *plain = ts_text_plain(scratch, *text);
    const size_t size = strlen(plain) + 1;
    char *own = malloc(size); /* the message frees it as it would have freed the old one */
    CHECK(own);
    memcpy(own, plain, size);
    free(*text);
    *text = own;
    ts_arena_free(scratch);
}

void ts_onnx_plain_names(ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    if (type == &onnx__string_string_entry_proto__descriptor) /* where external data is: a path, as the file system has it */
        return;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        char *at = (char *)message + field->offset, *quantifier = (char *)message + field->quantifier_offset;
        const bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
        if (field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF && *(const uint32_t *)(const void *)quantifier != field->id)
            continue;
        const size_t count = repeated ? *(const size_t *)(const void *)quantifier : 1;
        void **member = repeated ? *(void ***)(void *)at : (void **)(void *)at;
        for (size_t k = 0; k < count; k++)
            if (field->type == PROTOBUF_C_TYPE_STRING)
                plain_string((char **)&member[k], field->default_value);
            else if (member[k])
                ts_onnx_plain_names(member[k]);
    }
}
