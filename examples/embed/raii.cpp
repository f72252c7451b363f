// raii: C++ around the engine: what is opened closes itself, a failure is an exception, a lambda is a
// function that scripts call.  Two small classes are all it takes; copy them.
// c++ -std=c++17 raii.cpp $(pkg-config --cflags --libs tidemill)
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <tidemill.h>
#include <utility>
#include <vector>

// Owns one reference; copies and moves like a shared_ptr.
class Value
{
  public:
    Value() = default;
    Value(double number) : value(tidemill_from_number(number)) {}
    Value(const std::string &text)
    {
        if (tidemill_from_string(text.data(), text.size(), &value) != TIDEMILL_OK)
            throw std::bad_alloc();
    }
    Value(const Value &other) : value(tidemill_retain(other.value)) {}
    Value(Value &&other) noexcept : value(std::exchange(other.value, tidemill_value{})) {}
    Value &operator=(Value other) noexcept
    {
        std::swap(value, other.value);
        return *this;
    }
    ~Value()
    {
        tidemill_release(value);
    }

    double number() const
    {
        double number;
        if (!tidemill_to_number(value, &number)) throw std::runtime_error("not a number");
        return number;
    }
    std::string text() const
    {
        size_t size;
        const char *bytes = tidemill_to_string(&value, &size);
        if (bytes == nullptr) throw std::runtime_error("not a string");
        return std::string(bytes, size);
    }

    tidemill_value value{}; // the reference itself, for functions of tidemill.h
};

class Engine
{
  public:
    Engine()
    {
        tidemill_config config{};
        config.size = sizeof config;
        config.workers = 2;
        config.cache = "off";
        tidemill *opened = nullptr;
        tidemill_status status = tidemill_open(&config, &opened);
        engine.reset(opened); // also after a failure: its text is in there
        check(status);
    }
    void run(const std::string &code)
    {
        check(tidemill_run_string(engine.get(), code.c_str(), "script", 0, nullptr));
    }
    Value call(const char *name, const std::vector<Value> &arguments)
    {
        std::vector<tidemill_value> given;
        for (const Value &argument : arguments) given.push_back(argument.value);
        Value result;
        check(tidemill_call(engine.get(), name, given.data(), given.size(), &result.value, 1));
        return result;
    }
    // `callable(double) -> double`, which lives as long as the engine.
    template <typename Callable> void give(const char *name, Callable callable)
    {
        auto *kept = new Callable(std::move(callable));
        tidemill_function function{};
        function.size = sizeof function;
        function.name = name;
        function.signature = "number -> number";
        function.call = invoke<Callable>;
        function.context = kept;
        function.release = [](void *context) { delete static_cast<Callable *>(context); };
        check(tidemill_register(engine.get(), &function));
    }

  private:
    // No exception may pass through the engine, which is C: it becomes an error of the script.
    template <typename Callable>
    static tidemill_status invoke(void *context, tidemill_invocation *invocation,
                                  const tidemill_value *arguments, size_t,
                                  tidemill_value *results)
    {
        try {
            double number = 0;
            tidemill_to_number(arguments[0], &number);
            results[0] = tidemill_from_number((*static_cast<Callable *>(context))(number));
            return TIDEMILL_OK;
        } catch (const std::exception &problem) {
            return tidemill_raise(invocation, problem.what());
        }
    }
    void check(tidemill_status status)
    {
        if (status != TIDEMILL_OK) throw std::runtime_error(tidemill_error(engine.get()));
    }

    struct Close {
        void operator()(tidemill *opened) const
        {
            tidemill_close(opened);
        }
    };
    std::unique_ptr<tidemill, Close> engine;
};

int main()
{
    Engine engine;
    double paid = 0;
    engine.give("fee", [&paid](double price) {
        if (price < 0) throw std::domain_error("a price below zero");
        paid += price / 100;
        return price / 100;
    });
    engine.run("function buy(name, price) return name .. ' for ' .. price + fee(price) end");
    std::cout << engine.call("buy", {std::string("oil"), 70.0}).text() << "\n";
    std::cout << paid << " of it is the fee\n";
    try {
        engine.call("buy", {std::string("oil"), -1.0});
    } catch (const std::runtime_error &problem) {
        std::string text = problem.what();
        std::cout << text.substr(0, text.find('\n')) << "\n";
    }
}

/* Output:
 * oil for 70.7
 * 0.7 of it is the fee
 * script:1: fee: a price below zero
 */
