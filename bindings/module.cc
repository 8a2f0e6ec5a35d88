#include <exception>
#include <string_view>

#include <nanobind/stl/string.h>

#include <snncore/error.h>
#include <snncore/version.h>

#include "bindings.h"

namespace snncore::bindings {
namespace {

struct ExceptionTypes {
  PyObject* error = nullptr;
  PyObject* format_error = nullptr;
};
ExceptionTypes exception_types;

PyObject* python_type(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kShape:
      return PyExc_ValueError;
    case ErrorCode::kFormat:
      return exception_types.format_error;
    default:
      return exception_types.error;
  }
}

/// The one place where an error of ours becomes Python's.
void translate(const std::exception_ptr& exception, void*) {
  try {
    std::rethrow_exception(exception);
  } catch (const Error& error) {
    // A message may quote a hostile file, so it need not be UTF-8.
    const std::string_view what = error.what();
    PyObject* message = PyUnicode_DecodeUTF8(what.data(), static_cast<Py_ssize_t>(what.size()), "replace");
    if (message == nullptr) return;
    PyErr_SetObject(python_type(error.code()), message);
    Py_DECREF(message);
  }
}

PyObject* add_exception(nb::module_& m, const char* name, const char* doc, PyObject* base) {
  const std::string full_name = nb::cast<std::string>(m.attr("__name__")) + "." + name;
  PyObject* type = PyErr_NewExceptionWithDoc(full_name.c_str(), doc, base, nullptr);
  if (type == nullptr) throw nb::python_error();
  m.attr(name) = nb::borrow(type);
  return type;  // kept for as long as the process lives
}

void bind_errors(nb::module_& m) {
  exception_types.error =
      add_exception(m, "Error", "What snncore cannot do; the message says what was expected and what came.",
                    PyExc_RuntimeError);
  exception_types.format_error = add_exception(
      m, "FormatError", "A file or bytes that are not valid; the message names the key or the offset.",
      exception_types.error);
  nb::register_exception_translator(&translate);
}

}  // namespace
}  // namespace snncore::bindings

NB_MODULE(_core, m) {
  using namespace snncore::bindings;
  m.doc() = "The snncore engine. Use it through the package snncore.";
  bind_errors(m);
  m.def("version", &snncore::version);
  m.def("isa", &snncore::isa);
  m.def("build_info", &snncore::build_info);
  m.attr("FORMAT_VERSION") = snncore::kFormatVersion;
  bind_functional(m);
  bind_attention(m);
  bind_neurons(m);
  bind_model(m);
  bind_session(m);
  bind_builder(m);
  bind_lsh(m);
  bind_encoder(m);
  bind_index(m);
}
