/* Runs a fuzzer's harness on files and directories of files, without libFuzzer: the corpora as ordinary tests, with any compiler.
   Usage: NAME_fuzz CORPUS...   Exit status 0 where every file went through; a crash is the test's failure. */
#include <dirent.h>

#include "fuzz.h"

static long files;

static void run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(1);
    }
    size_t room = 1 << 16, size = 0, got;
    uint8_t *data = malloc(room);
    while (data && (got = fread(data + size, 1, room - size, f)) > 0)
        if ((size += got) == room)
            data = realloc(data, room *= 2);
    fclose(f);
    FUZZ_CHECK(data);
    fprintf(stderr, "%s\n", path); /* the last line before a crash says which */
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    files++;
}

static void run(const char *path)
{
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        DIR *dir = opendir(path);
        FUZZ_CHECK(dir);
        for (const struct dirent *e; (e = readdir(dir));) {
            char inside[4096];
            if (e->d_name[0] != '.' && snprintf(inside, sizeof inside, "%s/%s", path, e->d_name) < (int)sizeof inside)
                run(inside);
        }
        closedir(dir);
    } else
        run_file(path);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        run(argv[i]);
    printf("%ld inputs\n", files);
    return files > 0 ? 0 : 1;
}
