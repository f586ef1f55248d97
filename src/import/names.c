/* Names in ONNX files: protobuf wants UTF-8, and its readers in C do not check. */
#include "base/plain.h"
#include "import/onnx_read.h"

void ts_onnx_plain_names(ts_arena *arena, ProtobufCMessage *message)
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
            if (member[k] && field->type == PROTOBUF_C_TYPE_MESSAGE)
                ts_onnx_plain_names(arena, member[k]);
            else if (member[k] && !ts_text_is_plain(member[k]))
                member[k] = ts_text_plain(arena, member[k]);
    }
}
