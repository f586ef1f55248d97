/* NAME_emulator.cpp: the model as a class of the shape that CMS's trigger emulation loads from a shared library, hls4mlEmulator::Model. */
#include "base/text.h"
#include "export/text.h"

const char *ts_export_cms(const ts_export_text *t)
{
    const char *n = t->name, *u = t->upper;
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(
        f,
        "/* %s as a library for software that loads emulators of the trigger's models by name. C++17.\n   " TS_EXPORT_MARK ".\n\n"
        "       c++ -std=c++17 -O2 -fPIC -shared -I WHERE_EMULATOR_H_IS -o %s.so %s_emulator.cpp %s.c\n\n"
        "   prepare_input takes a pointer to std::vector<double> (values of hits as they come, [hits][%s_FEATURES]) or to\n"
        "   std::vector<std::int32_t> (words); read_result fills one of either, [%s][%s_OUTPUTS]. An event that the hardware would refuse\n"
        "   is std::invalid_argument. */\n",
        n, n, n, n, u, t->form->im->pool == TS_POOL_NONE ? "hits" : "1", u);
    fprintf(f,
            "#include \"%s.h\"\n\n"
            "#include \"emulator.h\" // hls4mlEmulator::Model\n"
            "#include <any>\n#include <cstddef>\n#include <cstdint>\n#include <memory>\n#include <stdexcept>\n#include <vector>\n\n"
            "namespace {\n\n"
            "class %s_emulator : public hls4mlEmulator::Model {\npublic:\n"
            "    void prepare_input(std::any input) override\n    {\n"
            "        if (const auto *values = given<double>(input)) {\n"
            "            std::vector<std::int32_t> words(values->size());\n"
            "            check(%s_words_of(values->data(), hits_of(values->size()), words.data()));\n"
            "            words_.swap(words);\n"
            "        } else if (const auto *words = given<std::int32_t>(input)) {\n"
            "            hits_of(words->size());\n            words_ = *words;\n"
            "        } else {\n            throw std::bad_any_cast();\n        }\n        results_.clear();\n    }\n\n",
            n, n, n);
    fprintf(f,
            "    void predict() override\n    {\n"
            "        const int count = hits_of(words_.size());\n"
            "        std::vector<std::int32_t> results((%s_POOLED ? std::size_t{1} : static_cast<std::size_t>(count)) * %s_OUTPUTS);\n"
            "        check(%s_run_words(words_.data(), count, results.data(), workspace_.get()));\n"
            "        results_.swap(results);\n    }\n\n",
            u, u, n);
    fprintf(f,
            "    void read_result(std::any result) override\n    {\n"
            "        if (auto *const *words = std::any_cast<std::vector<std::int32_t> *>(&result)) {\n"
            "            **words = results_;\n"
            "        } else if (auto *const *reals = std::any_cast<std::vector<double> *>(&result)) {\n"
            "            (*reals)->resize(results_.size());\n"
            "            %s_reals_of(results_.data(), static_cast<int>(results_.size() / %s_OUTPUTS), (*reals)->data());\n"
            "        } else {\n            throw std::bad_any_cast();\n        }\n    }\n\n"
            "private:\n"
            "    template <class type> static const std::vector<type> *given(const std::any &input)\n    {\n"
            "        if (auto *const *made = std::any_cast<std::vector<type> *>(&input))\n            return *made;\n"
            "        if (auto *const *fixed = std::any_cast<const std::vector<type> *>(&input))\n            return *fixed;\n"
            "        return nullptr;\n    }\n\n",
            n, u);
    fprintf(f,
            "    static void check(int code)\n    {\n"
            "        if (code != %s_OK)\n            throw std::invalid_argument(%s_message(code));\n    }\n\n"
            "    static int hits_of(std::size_t values)\n    {\n"
            "        if (values %% %s_FEATURES != 0)\n            throw std::invalid_argument(\"not a whole number of hits\");\n"
            "        if (values / %s_FEATURES > %s_MAX_HITS)\n            check(%s_TOO_MANY_HITS);\n"
            "        if (values == 0)\n            check(%s_NO_HITS);\n"
            "        return static_cast<int>(values / %s_FEATURES);\n    }\n\n"
            "    std::vector<std::int32_t> words_, results_;\n"
            "    std::unique_ptr<%s_workspace> workspace_{new %s_workspace};\n};\n\n} // namespace\n\n"
            "extern \"C\" hls4mlEmulator::Model *create_model()\n{\n    return new %s_emulator;\n}\n\n"
            "extern \"C\" void destroy_model(hls4mlEmulator::Model *model)\n{\n    delete model;\n}\n",
            u, n, u, u, u, u, u, u, n, n, n);
    return ts_text_close(&text, t->arena);
}
