/// \file
/// snncore: spiking neural networks on ordinary CPUs. Includes the whole C++ interface.
#pragma once

#include <snncore/bit_tensor.h>
#include <snncore/builder.h>
#include <snncore/encoder.h>
#include <snncore/error.h>
#include <snncore/events.h>
#include <snncore/functional.h>
#include <snncore/lsh.h>
#include <snncore/model.h>
#include <snncore/neurons.h>
#include <snncore/session.h>
#include <snncore/tensor.h>
#include <snncore/version.h>
