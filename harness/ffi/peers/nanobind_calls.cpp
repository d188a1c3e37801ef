// The functions that harness/ffi/ffi_subject.py calls, as nanobind makes them.
#include <cstdint>
#include <string>
#include <string_view>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string_view.h>

namespace nb = nanobind;

static std::uint64_t turn(std::uint64_t steps) {
    std::uint64_t state = 1;
    for (std::uint64_t step = 0; step < steps; step++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    return state;
}

static double sum_list(const nb::list &numbers) {
    double total = 0.0;
    for (nb::handle number : numbers) {
        total += nb::cast<double>(number);
    }
    return total;
}

static double sum_buffer(const nb::ndarray<const double, nb::ndim<1>, nb::c_contig> &numbers) {
    double total = 0.0;
    for (std::size_t index = 0; index < numbers.shape(0); index++) {
        total += numbers.data()[index];
    }
    return total;
}

static nb::dict sum_dict(const nb::dict &values) {
    double total = 0.0;
    for (auto item : values) {
        total += nb::cast<double>(item.second);
    }
    nb::dict answer;
    answer["sum"] = total;
    answer["count"] = static_cast<double>(values.size());
    return answer;
}

static nb::object call_back(const nb::object &callable, std::uint64_t n) {
    nb::object answer = nb::none();
    for (std::uint64_t number = 0; number < n; number++) {
        answer = callable(number);
    }
    return answer;
}

NB_MODULE(nanobind_calls, module) {
    module.def("nothing", [] {});
    module.def("add", [](std::int64_t a, std::int64_t b) {
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
    });
    module.def("text_length", [](std::string_view text) { return text.size(); });
    module.def("echo_text", [](std::string_view text) { return text; });
    module.def("echo_bytes", [](const nb::bytes &data) { return nb::bytes(data.c_str(), data.size()); });
    module.def("sum_list", &sum_list);
    module.def("sum_buffer", &sum_buffer);
    module.def("sum_dict", &sum_dict);
    module.def("call_back", &call_back);
    module.def("spin", &turn, nb::call_guard<nb::gil_scoped_release>());
    module.def("spin_holding", &turn);
}
