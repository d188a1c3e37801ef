/* The floor of a call from Python: the functions that ffi_subject.py calls, each in the fewest calls of CPython's own C
 * interface. What it costs, no binding can save. Built by the lab with the system's `cc`.
 *
 * The functions without `Py` in their signature are for `ctypes`. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

#define EXPORTED __attribute__((visibility("default")))

EXPORTED void perflab_floor_nothing(void) {}

EXPORTED int64_t perflab_floor_add(int64_t a, int64_t b) {
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

EXPORTED double perflab_floor_sum(const double *numbers, size_t len) {
    double sum = 0.0;
    for (size_t index = 0; index < len; index++) {
        sum += numbers[index];
    }
    return sum;
}

/* The number in `object`; -1 with an exception where there is none. */
static inline double number_in(PyObject *object) {
    return PyFloat_CheckExact(object) ? PyFloat_AS_DOUBLE(object) : PyFloat_AsDouble(object);
}

/* Whether `count` arguments came where `due` are wanted; else there is an exception. */
static int arity(Py_ssize_t count, Py_ssize_t due) {
    if (count == due) {
        return 1;
    }
    PyErr_Format(PyExc_TypeError, "%zd arguments came where %zd are wanted", count, due);
    return 0;
}

/* Not METH_NOARGS: CPython 3.11 to 3.13 have a faster way only for the other convention. */
static PyObject *nothing(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    (void)module;
    (void)args;
    if (!arity(count, 0)) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *add(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    (void)module;
    if (!arity(count, 2)) {
        return NULL;
    }
    long long a = PyLong_AsLongLong(args[0]);
    if (a == -1 && PyErr_Occurred()) {
        return NULL;
    }
    long long b = PyLong_AsLongLong(args[1]);
    if (b == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return PyLong_FromLongLong(perflab_floor_add(a, b));
}

static PyObject *text_length(PyObject *module, PyObject *text) {
    (void)module;
    Py_ssize_t size;
    if (PyUnicode_AsUTF8AndSize(text, &size) == NULL) {
        return NULL;
    }
    return PyLong_FromSsize_t(size);
}

static PyObject *echo_text(PyObject *module, PyObject *text) {
    (void)module;
    Py_ssize_t size;
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, &size);
    return utf8 == NULL ? NULL : PyUnicode_FromStringAndSize(utf8, size);
}

static PyObject *echo_bytes(PyObject *module, PyObject *bytes) {
    (void)module;
    char *start;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(bytes, &start, &size) < 0) {
        return NULL;
    }
    return PyBytes_FromStringAndSize(start, size);
}

static PyObject *sum_list(PyObject *module, PyObject *list) {
    (void)module;
    if (!PyList_Check(list)) {
        PyErr_SetString(PyExc_TypeError, "a list is wanted");
        return NULL;
    }
    double sum = 0.0;
    Py_ssize_t index = 0, size = PyList_GET_SIZE(list);
    PyObject **items = ((PyListObject *)list)->ob_item;
    for (; index < size && PyFloat_CheckExact(items[index]); index++) {
        sum += PyFloat_AS_DOUBLE(items[index]);
    }
    /* What is not exactly a float may run Python code, which may change the list. */
    for (; index < PyList_GET_SIZE(list); index++) {
        double number = number_in(PyList_GET_ITEM(list, index));
        if (number == -1.0 && PyErr_Occurred()) {
            return NULL;
        }
        sum += number;
    }
    return PyFloat_FromDouble(sum);
}

static PyObject *sum_buffer(PyObject *module, PyObject *object) {
    (void)module;
    Py_buffer view;
    if (PyObject_GetBuffer(object, &view, PyBUF_CONTIG_RO | PyBUF_FORMAT) < 0) {
        return NULL;
    }
    if (view.itemsize != sizeof(double) || view.format == NULL || view.format[0] != 'd') {
        PyBuffer_Release(&view);
        PyErr_SetString(PyExc_TypeError, "a buffer of float64 is wanted");
        return NULL;
    }
    double sum = perflab_floor_sum(view.buf, (size_t)view.len / sizeof(double));
    PyBuffer_Release(&view);
    return PyFloat_FromDouble(sum);
}

/* The keys of the answer of `sum_dict`, made once. */
static PyObject *sum_key, *count_key;

/* Stores `number` under `name`; false with an exception. */
static int store(PyObject *dict, PyObject *name, double number) {
    PyObject *value = PyFloat_FromDouble(number);
    if (value == NULL) {
        return 0;
    }
    int failed = PyDict_SetItem(dict, name, value);
    Py_DECREF(value);
    return failed == 0;
}

static PyObject *sum_dict(PyObject *module, PyObject *dict) {
    (void)module;
    if (!PyDict_Check(dict)) {
        PyErr_SetString(PyExc_TypeError, "a dict is wanted");
        return NULL;
    }
    double sum = 0.0;
    Py_ssize_t place = 0;
    PyObject *key, *value;
    while (PyDict_Next(dict, &place, &key, &value)) {
        double number = number_in(value);
        if (number == -1.0 && PyErr_Occurred()) {
            return NULL;
        }
        sum += number;
    }
    PyObject *answer = PyDict_New();
    if (answer == NULL) {
        return NULL;
    }
    if (!store(answer, sum_key, sum) || !store(answer, count_key, (double)PyDict_Size(dict))) {
        Py_DECREF(answer);
        return NULL;
    }
    return answer;
}

static PyObject *call_back(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    (void)module;
    if (!arity(count, 2)) {
        return NULL;
    }
    unsigned long long calls = PyLong_AsUnsignedLongLong(args[1]);
    if (PyErr_Occurred()) {
        return NULL;
    }
    PyObject *answer = Py_None;
    Py_INCREF(answer);
    for (unsigned long long number = 0; number < calls; number++) {
        Py_DECREF(answer);
        PyObject *argument = PyLong_FromUnsignedLongLong(number);
        if (argument == NULL) {
            return NULL;
        }
        answer = PyObject_CallOneArg(args[0], argument);
        Py_DECREF(argument);
        if (answer == NULL) {
            return NULL;
        }
    }
    return answer;
}

/* `steps` steps of xorshift64 (Marsaglia 2003, "Xorshift RNGs", 13-7-17), each of which needs the one before. */
static uint64_t turn(uint64_t steps) {
    volatile uint64_t seed = 1;
    uint64_t state = seed;
    for (uint64_t step = 0; step < steps; step++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    return state;
}

static PyObject *spin(PyObject *module, PyObject *steps) {
    (void)module;
    uint64_t count = PyLong_AsUnsignedLongLong(steps);
    if (PyErr_Occurred()) {
        return NULL;
    }
    uint64_t state;
    Py_BEGIN_ALLOW_THREADS
    state = turn(count);
    Py_END_ALLOW_THREADS
    return PyLong_FromUnsignedLongLong(state);
}

static PyObject *spin_holding(PyObject *module, PyObject *steps) {
    (void)module;
    uint64_t count = PyLong_AsUnsignedLongLong(steps);
    if (PyErr_Occurred()) {
        return NULL;
    }
    return PyLong_FromUnsignedLongLong(turn(count));
}

#define FAST(function) (PyCFunction)(void (*)(void))(function), METH_FASTCALL

static PyMethodDef functions[] = {
    {"nothing", FAST(nothing), NULL},
    {"add", FAST(add), NULL},
    {"text_length", text_length, METH_O, NULL},
    {"echo_text", echo_text, METH_O, NULL},
    {"echo_bytes", echo_bytes, METH_O, NULL},
    {"sum_list", sum_list, METH_O, NULL},
    {"sum_buffer", sum_buffer, METH_O, NULL},
    {"sum_dict", sum_dict, METH_O, NULL},
    {"call_back", FAST(call_back), NULL},
    {"spin", spin, METH_O, NULL},
    {"spin_holding", spin_holding, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "perflab_floor",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC PyInit_perflab_floor(void) {
    sum_key = PyUnicode_InternFromString("sum");
    count_key = PyUnicode_InternFromString("count");
    if (sum_key == NULL || count_key == NULL) {
        return NULL;
    }
    return PyModule_Create(&definition);
}
