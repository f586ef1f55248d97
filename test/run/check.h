/* Checks of the run library's tests, which need no library of tests: they also run below an emulator of another processor. */
#ifndef TS_CHECK_H
#define TS_CHECK_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK_THAT(condition) \
    do \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            exit(1); \
        } \
    while (0)

/* The message has the words. */
#define CHECK_SAYS(error, code_wanted, words) \
    do \
        if ((error).code != (code_wanted) || !strstr((error).message, (words))) { \
            fprintf(stderr, "%s:%d: code %d: %s\n    code %d and \"%s\" were wanted\n", __FILE__, __LINE__, (int)(error).code, \
                    (error).message, (int)(code_wanted), (words)); \
            exit(1); \
        } \
    while (0)

typedef struct check_case {
    const char *name;
    void (*run)(void);
} check_case;

/* xorshift: the same numbers everywhere */
static inline unsigned check_random(unsigned long long *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (unsigned)(*state >> 33);
}

static inline int check_all(const check_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        printf("%s\n", cases[i].name);
        fflush(stdout);
        cases[i].run();
    }
    printf("%zu tests passed\n", count);
    return 0;
}

#endif
