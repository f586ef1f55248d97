#include "export/export.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/plain.h"
#include "export/text.h"

/* ---- Names */

enum { NAME_MAX_LENGTH = 60 };

static bool is_word(const char *name)
{
    /* Of C and C++; those of one language only would not compile in the other. */
    static const char *const words[] = {
        "alignas",  "alignof", "and",      "asm",      "auto",      "bitand",    "bitor",    "bool",      "break",    "case",
        "catch",    "char",    "class",    "compl",    "const",     "constexpr", "continue", "double",    "default",  "delete",
        "do",       "else",    "enum",     "explicit", "export",    "extern",    "false",    "float",     "for",      "friend",
        "goto",     "if",      "inline",   "int",      "long",      "main",      "mutable",  "namespace", "new",      "noexcept",
        "not",      "nullptr", "operator", "or",       "private",   "protected", "public",   "register",  "restrict", "return",
        "short",    "signed",  "sizeof",   "static",   "struct",    "switch",    "template", "this",      "throw",    "true",
        "try",      "typedef", "typeid",   "typename", "typeof",    "union",     "unsigned", "using",     "virtual",  "void",
        "volatile", "while",   "xor",      "decltype", "constinit", "consteval", "concept",
    };
    static const char *const headers[] = {"string", "stddef", "stdint", "immintrin", "emmintrin"}; /* that the file itself includes */
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(name, words[i]) == 0)
            return true;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        if (strcmp(name, headers[i]) == 0)
            return true;
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool check_name(const char *name, ts_err *err)
{
    bool ok = is_letter(*name) && strlen(name) <= NAME_MAX_LENGTH && !is_word(name);
    for (const char *p = name; *p; p++)
        ok &= is_letter(*p) || (*p >= '0' && *p <= '9') || *p == '_';
    return ok || ts_fail_as(err, TS_USAGE,
                            "%s %s: a letter, then letters, digits and underscores, at most %d of them, and no word or header of C or C++",
                            ts_option("name"), name, NAME_MAX_LENGTH);
}

/* Of the model's: what is no letter or digit becomes an underscore. */
static const char *name_of(ts_arena *arena, const char *model)
{
    char *name = ts_printf(arena, "%s%.*s", is_letter(*model) ? "" : "m", NAME_MAX_LENGTH - 1, model);
    for (char *p = name; *p; p++)
        if (!is_letter(*p) && !(*p >= '0' && *p <= '9'))
            *p = '_';
    return is_word(name) ? ts_printf(arena, "%s_model", name) : name;
}

static const char *upper_case(ts_arena *arena, const char *name)
{
    char *upper = ts_strdup(arena, name);
    for (char *p = upper; *p; p++)
        *p = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
    return upper;
}

/* ---- Files */

static bool may_replace(ts_arena *arena, const char *path, ts_err *err)
{
    struct stat st;
    size_t size;
    if (stat(path, &st) != 0)
        return true;
    const char *text = S_ISREG(st.st_mode) ? ts_file_read(arena, path, &size, err) : "";
    if (!text)
        return false;
    return strstr(text, TS_EXPORT_MARK) != NULL ||
           ts_fail_as(err, TS_NOT_WRITTEN, "%s: is there and was not made by tessera: export to another directory, or choose another %s",
                      path, ts_option("name"));
}

/* All of them, or none: each is whole before the first takes its place. */
static bool write_all(ts_arena *arena, const char *out, const ts_exported *made, const char *const *text, ts_err *err)
{
    ts_writer writer[3];
    int open = 0, placed = 0;
    bool ok = true;
    if (mkdir(out, 0777) != 0 && errno != EEXIST)
        return ts_fail_as(err, ts_code_of_write(errno), "%s: cannot make the directory: %s", out, strerror(errno));
    for (int i = 0; ok && i < made->files; i++)
        ok = may_replace(arena, ts_printf(arena, "%s/%s", out, made->file[i]), err);
    for (int i = 0; ok && i < made->files; i++, open += ok) {
        ok = ts_writer_open(arena, ts_printf(arena, "%s/%s", out, made->file[i]), &writer[i], err);
        if (ok)
            fwrite(text[i], 1, made->size[i], writer[i].f);
    }
    for (; ok && placed < open; placed++)
        ok = ts_writer_commit(&writer[placed], err);
    for (; placed < open; placed++)
        ts_writer_abort(&writer[placed]);
    return ok;
}

bool ts_export(ts_arena *arena, const ts_export_model *model, const ts_export_options *options, const char *out, ts_exported *made,
               ts_err *err)
{
    ts_export_form form;
    ts_export_text t = {.arena = arena, .model = model, .form = &form};
    t.name = options->name ? options->name : name_of(arena, model->im->name);
    t.upper = upper_case(arena, t.name);
    if (!check_name(t.name, err) || !ts_export_form_of(model->im, model->max_hits, &form, err))
        return false;
    const char *header = ts_export_h(&t), *code = ts_export_c(&t);
    t.build = ts_hash(ts_hash(TS_HASH, header, strlen(header)), code, strlen(code));
    const char *const text[] = {ts_export_c(&t), ts_export_h(&t), options->cms ? ts_export_cms(&t) : ""};
    *made = (ts_exported){.name = t.name, .files = options->cms ? 3 : 2, .workspace = form.workspace, .build = t.build};
    static const char *const ends[] = {".c", ".h", "_emulator.cpp"};
    for (int i = 0; i < made->files; i++) {
        made->file[i] = ts_printf(arena, "%s%s", t.name, ends[i]);
        made->size[i] = strlen(text[i]);
    }
    return write_all(arena, out, made, text, err);
}
