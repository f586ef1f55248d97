// Loads a model's library as trigger software does, and compares what it gives with the C that is linked here, as model.h has it.
// Usage: load LIBRARY.so
#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <vector>

#include "emulator.h"
#include "model.h"

template <class type> static type symbol(void *library, const char *name)
{
    return reinterpret_cast<type>(dlsym(library, name));
}

static int check(bool ok, const char *what)
{
    if (!ok)
        std::printf("FAILED: %s\n", what);
    return !ok;
}

template <class error, class call> static bool throws(call made)
{
    try {
        made();
    } catch (const error &) {
        return true;
    }
    return false;
}

int main(int, char **argv)
{
    void *library = dlopen(argv[1], RTLD_LAZY | RTLD_LOCAL);
    if (!library)
        return std::printf("%s\n", dlerror()), 1;
    auto *create = symbol<hls4mlEmulator::Model *(*)()>(library, "create_model");
    auto *destroy = symbol<void (*)(hls4mlEmulator::Model *)>(library, "destroy_model");
    if (!create || !destroy)
        return std::printf("no create_model, no destroy_model\n"), 1;
    hls4mlEmulator::Model *model = create(), *other = create();
    std::unique_ptr<model_workspace> workspace(new model_workspace);
    int failed = 0;
    for (int count = 1; count <= MODEL_MAX_HITS; count += 7) {
        std::vector<double> hits(static_cast<std::size_t>(count) * MODEL_FEATURES), reals, want;
        for (std::size_t i = 0; i < hits.size(); i++)
            hits[i] = static_cast<double>(i * 37 % 101) * 8 - 400;
        std::vector<std::int32_t> words(hits.size()), results, others;
        want.resize((MODEL_POOLED ? 1 : static_cast<std::size_t>(count)) * MODEL_OUTPUTS);
        failed += check(model_run(hits.data(), count, want.data(), workspace.get()) == MODEL_OK, "an event");
        failed += check(model_words_of(hits.data(), count, words.data()) == MODEL_OK, "words of an event");
        model->prepare_input(&hits);
        model->predict();
        model->read_result(&reals);
        model->read_result(&results);
        failed += check(reals == want, "real values of the library are those of the C");
        other->prepare_input(const_cast<const std::vector<std::int32_t> *>(&words));
        other->predict();
        other->read_result(&others);
        failed += check(others == results && results.size() == want.size(), "words give the same");
    }
    std::vector<double> none, too_many((MODEL_MAX_HITS + 1) * MODEL_FEATURES), odd(MODEL_FEATURES + 1);
    failed += check(throws<std::invalid_argument>([&] { model->prepare_input(&none); }), "no hits are refused");
    failed += check(throws<std::invalid_argument>([&] { model->prepare_input(&too_many); }), "too many hits are refused");
    failed += check(MODEL_FEATURES == 1 || throws<std::invalid_argument>([&] { model->prepare_input(&odd); }), "half a hit is refused");
    failed += check(throws<std::bad_any_cast>([&] { model->prepare_input(3); }), "another type is refused");
    failed += check(throws<std::bad_any_cast>([&] { model->read_result(3.5F); }), "and as a result");
    destroy(model);
    destroy(other);
    if (!failed)
        std::printf("the library gives what the C gives\n");
    return failed > 0;
}
