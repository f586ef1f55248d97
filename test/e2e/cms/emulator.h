// A stand-in for the header of the same name that CMS's trigger software has: what a library of a model derives from, for tests.
#ifndef TS_CMS_EMULATOR_H
#define TS_CMS_EMULATOR_H
#include <any>

namespace hls4mlEmulator
{
class Model
{
  public:
    virtual void prepare_input(std::any input) = 0;
    virtual void predict() = 0;
    virtual void read_result(std::any result) = 0;
    virtual ~Model() = default;
};
} // namespace hls4mlEmulator

#endif
