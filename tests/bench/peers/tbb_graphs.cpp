// tbb_graphs: the benchmarks' graphs in oneTBB, counted as ours are: built, run, freed.
//     tbb_graphs WORKERS tree DEPTH | chain LENGTH | wavefront SIDE | skynet LEAVES
// Prints lines "name number", seconds a task, least of ROUNDS; `light` is the same with the
// lightweight policy, which runs a body inside the call that made it ready.
// SPDX-License-Identifier: MIT
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <string>
#include <unistd.h>
#include <vector>

#include <tbb/flow_graph.h>
#include <tbb/global_control.h>
#include <tbb/task_group.h>

using namespace tbb::flow;

enum { ROUNDS = 5 };

static double now()
{
    using namespace std::chrono;
    return duration<double>(steady_clock::now().time_since_epoch()).count();
}

static double resident()
{
    std::ifstream file("/proc/self/statm");
    double whole = 0, pages = 0;
    file >> whole >> pages;
    return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// Nodes of one graph and what each has computed; a body reads its inputs' values.
template <typename Node> struct plan {
    using node = Node;
    graph g;
    std::deque<node> nodes;
    std::vector<double> values;
    std::vector<node *> roots;

    explicit plan(size_t count)
    {
        values.reserve(count);
    }

    size_t add(const double *left, const double *right)
    {
        values.push_back(0);
        double *result = &values.back();
        nodes.emplace_back(g, [=](const continue_msg &) {
            *result = *left + *right;
            return continue_msg();
        });
        return nodes.size() - 1;
    }

    size_t join(size_t left, size_t right)
    {
        size_t made = add(&values[left], &values[right]);
        make_edge(nodes[left], nodes[made]);
        if (left != right) make_edge(nodes[right], nodes[made]);
        return made;
    }

    void root(size_t made)
    {
        roots.push_back(&nodes[made]);
    }

    void run()
    {
        for (node *start : roots) start->try_put(continue_msg());
        g.wait_for_all();
    }
};

using usual = plan<continue_node<continue_msg>>;
using light = plan<continue_node<continue_msg, lightweight>>;

static const double one = 1, zero = 0;

template <typename Plan> static void grow_tree(Plan &plan, size_t depth)
{
    size_t leaves = size_t(1) << depth, below = 0;
    for (size_t i = 0; i < leaves; i++) plan.root(plan.add(&one, &one));
    for (size_t width = leaves / 2; width > 0; width /= 2) {
        for (size_t i = 0; i < width; i++, below += 2) plan.join(below, below + 1);
    }
}

template <typename Plan> static void grow_chain(Plan &plan, size_t length)
{
    plan.root(plan.add(&one, &zero));
    for (size_t i = 1; i < length; i++) {
        size_t made = plan.add(&plan.values[i - 1], &one);
        make_edge(plan.nodes[i - 1], plan.nodes[made]);
    }
}

template <typename Plan> static void grow_wavefront(Plan &plan, size_t side)
{
    for (size_t i = 0; i < side; i++) {
        for (size_t j = 0; j < side; j++) {
            size_t above = (i - 1) * side + j, left = i * side + j - 1;
            if (i == 0 && j == 0)
                plan.root(plan.add(&one, &zero));
            else if (i == 0)
                plan.join(left, left);
            else if (j == 0)
                plan.join(above, above);
            else
                plan.join(above, left);
        }
    }
}

struct shape {
    const char *name;
    size_t (*count)(size_t size);
    void (*grow)(usual &, size_t);
    void (*grow_light)(light &, size_t); // none: the bodies would nest as deep as the graph
};

static const shape shapes[] = {
    {"tree", [](size_t depth) { return (size_t(2) << depth) - 1; }, grow_tree, grow_tree},
    {"chain", [](size_t length) { return length; }, grow_chain, nullptr},
    {"wavefront", [](size_t side) { return side * side; }, grow_wavefront, grow_wavefront},
};

struct cost {
    double seconds = 0, bytes = 0;
};

template <typename Plan>
static cost measure(size_t count, size_t size, void (*grow)(Plan &, size_t))
{
    cost best;
    for (int i = 0; i < ROUNDS; i++) {
        double before = resident(), start = now();
        {
            Plan plan(count);
            grow(plan, size);
            double bytes = (resident() - before) / static_cast<double>(count);
            if (i == 0) best.bytes = bytes;
            plan.run();
        }
        double taken = (now() - start) / static_cast<double>(count);
        if (i == 0 || taken < best.seconds) best.seconds = taken;
    }
    return best;
}

static int64_t skynet(int64_t first, int64_t size)
{
    if (size == 1) return first;
    int64_t step = size / 10, results[10];
    tbb::task_group group;
    for (int64_t i = 0; i < 10; i++) {
        group.run([=, &results] { results[i] = skynet(first + i * step, step); });
    }
    group.wait();
    int64_t sum = 0;
    for (int64_t result : results) sum += result;
    return sum;
}

static void report_skynet(int64_t leaves)
{
    double best = 0, tasks = static_cast<double>(10 * leaves - 1) / 9;
    for (int i = 0; i < ROUNDS; i++) {
        double start = now();
        if (skynet(0, leaves) != leaves * (leaves - 1) / 2) abort();
        double taken = (now() - start) / tasks;
        if (i == 0 || taken < best) best = taken;
    }
    std::printf("task %.12f\n", best);
}

int main(int argc, char **argv)
{
    if (argc != 4 || std::atoi(argv[1]) < 1 || std::atoll(argv[3]) < 1) {
        std::fprintf(stderr, "usage: tbb_graphs WORKERS SHAPE SIZE\n");
        return 2;
    }
    std::string name = argv[2];
    size_t size = std::strtoull(argv[3], nullptr, 10);
    tbb::global_control workers(tbb::global_control::max_allowed_parallelism,
                                std::strtoull(argv[1], nullptr, 10));
    if (name == "skynet") report_skynet(static_cast<int64_t>(size));
    for (const shape &shape : shapes) {
        if (name != shape.name) continue;
        cost plain = measure(shape.count(size), size, shape.grow);
        std::printf("task %.12f\nbytes %.1f\n", plain.seconds, plain.bytes);
        if (shape.grow_light == nullptr) continue;
        cost quick = measure(shape.count(size), size, shape.grow_light);
        std::printf("light %.12f\n", quick.seconds);
    }
    return 0;
}
