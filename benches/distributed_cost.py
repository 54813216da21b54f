"""What a training step costs where ranks share it: operations, bytes, messages.

docs/distributed.md has the formulas. Here every rank is counted by itself, so uneven
divisions and layers that are too small to share are right too. `check` holds the counts
against a brute-force walk over all rows, inputs and units. Needs the standard library alone.

Layer l has n[l-1] inputs and n[l] units, l = 1 … L, as on paper.
"""

import math
from dataclasses import dataclass

# As in `nn`: units of a panel; of a first layer that is one panel; of a group that shares
# its random numbers; rows that go through the layers together; operations of a
# thread from which on a layer is shared.
PANEL, NARROW, GROUP, CHUNK, SHARE_FROM = 16, 48, 128, 256, 3_000_000
# Rows of a register tile.
TILE_ROWS = 8


@dataclass(frozen=True)
class Step:
    """A step of a network with these sizes, from its inputs to its outputs."""

    sizes: tuple
    batch: int
    ranks: int = 1
    dropout: bool = False
    share_from: int = SHARE_FROM

    @property
    def layers(self):
        """The numbers of the layers."""
        return range(1, len(self.sizes))

    def product(self, l):
        """Floating-point operations of a product of the whole layer."""
        return 2 * self.batch * self.sizes[l - 1] * self.sizes[l]

    def groups(self, l):
        """Panels that the units of a layer can be divided into, or groups of panels."""
        units = self.sizes[l]
        if l == len(self.sizes) - 1 or l == 1 and units <= NARROW:
            return 1
        return math.ceil(units / (GROUP if self.dropout else PANEL))

    def is_shared(self, l):
        """Whether ranks share the units of a layer."""
        if self.ranks == 1 or l >= len(self.sizes) or self.groups(l) == 1:
            return False
        enough = 3 * self.product(l) // self.ranks >= self.share_from
        return enough or self.is_shared(l + 1)

    def ends(self, l):
        """Where the units of each rank end. Every rank has all of a layer that is not shared."""
        if l == 0 or not self.is_shared(l):
            return [self.sizes[l]] * self.ranks
        width, groups = GROUP if self.dropout else PANEL, self.groups(l)
        ends = [groups * (rank + 1) // self.ranks * width for rank in range(self.ranks)]
        return [min(end, self.sizes[l]) for end in ends]

    def own(self, l):
        """How many units of a layer each rank has."""
        ends = self.ends(l)
        if l == 0 or not self.is_shared(l):
            return ends
        return [end - start for start, end in zip([0, *ends], ends)]

    def parameters(self):
        """Weights and biases of the network."""
        return sum(self.sizes[l] * (self.sizes[l - 1] + 1) for l in self.layers)


@dataclass
class Cost:
    """What a step costs a rank."""

    # Operations of the first layer, which leaves zeros out; of all others.
    first: float = 0
    others: float = 0
    # Weights that it updates.
    updated: float = 0
    # Bytes that it receives, and messages that it waits for.
    received: float = 0
    messages: int = 0
    # Bytes of weights and gradients that go through its core.
    streamed: float = 0

    @property
    def operations(self):
        """All of them."""
        return self.first + self.others


def units_of(step):
    """The way that is built, units: what each rank computes in each stage, as lists.

    The stages are (kind, layer): forward, backward to the units of the layer before, and the
    weights whose gradient it computes, of its own units and of its rows.
    """
    own = {l: step.own(l) for l in range(len(step.sizes))}
    stages = {}
    for l in step.layers:
        inputs, units, batch = step.sizes[l - 1], step.sizes[l], step.batch
        stages["forward", l] = [2 * batch * inputs * mine for mine in own[l]]
        if l > 1:
            stages["backward", l] = [2 * batch * mine * units for mine in own[l - 1]]
        # No signal goes back through the first layer, so it needs no rows.
        rows = own[l - 1] if l > 1 else [0] * step.ranks
        pairs = zip(own[l], rows)
        stages["weights", l] = [inputs * mine + row * (units - mine) for mine, row in pairs]
    return stages


def received_of(step):
    """Bytes that each rank receives in a step, as a list, and the messages of all."""
    received, messages = [0] * step.ranks, 0
    for l in step.layers:
        if step.is_shared(l):
            # Activations, and what goes back but for the first layer.
            times = 1 if l == 1 else 2
            columns = [step.sizes[l] - mine for mine in step.own(l)]
            received = [a + 4 * step.batch * times * n for a, n in zip(received, columns)]
            messages += times * math.ceil(step.batch / CHUNK)
    return received, messages


def units(step):
    """What a step costs where units are shared. Ranks wait for the slowest in each stage."""
    cost = Cost()
    for (kind, l), of_ranks in units_of(step).items():
        most = max(of_ranks)
        operations = 2 * step.batch * most if kind == "weights" else most
        if l == 1:
            cost.first += operations
        else:
            cost.others += operations
        if kind == "weights":
            cost.updated += most
            # The optimizer reads and writes them.
            cost.streamed += 8 * most
        else:
            cost.streamed += 4 * most // (2 * step.batch)
    received, cost.messages = received_of(step)
    cost.received = max(received)
    return cost


def rows(step):
    """The same where ranks have rows of the batch and tiles of the weights.

    Activations and dz of all rows are gathered, each rank updates its tiles, and the weights
    are gathered.
    """
    last, parameters = len(step.sizes) - 1, step.parameters()
    tiles = math.ceil(step.batch / TILE_ROWS)
    share = math.ceil(tiles / step.ranks) / tiles
    cost = Cost()
    for l in step.layers:
        product = step.product(l)
        passes = product * share * (1 if l == 1 else 2)
        operations = passes + product / step.ranks
        if l == 1:
            cost.first += operations
        else:
            cost.others += operations
        weights = step.sizes[l - 1] * step.sizes[l]
        cost.streamed += 4 * weights * (1 if l == 1 else 2)
    cost.updated = parameters / step.ranks
    moved = 1 - 1 / step.ranks
    # The update, and writing the weights of others.
    cost.streamed += 8 * cost.updated + 4 * moved * parameters
    columns = sum(step.sizes[1:last]) + sum(step.sizes[1:])
    cost.received = 4 * moved * (step.batch * columns + parameters)
    cost.messages = 2 if step.ranks > 1 else 0
    return cost


def reduced(step):
    """The same where ranks have rows, and gradients are added by a ring, as frameworks do."""
    cost, parameters, moved = rows(step), step.parameters(), 1 - 1 / step.ranks
    alone = rows(Step(step.sizes, step.batch))
    tiles = math.ceil(step.batch / TILE_ROWS)
    share = math.ceil(tiles / step.ranks) / tiles
    cost.first, cost.others = alone.first * share, alone.others * share
    cost.updated = parameters
    cost.received = 8 * moved * parameters
    cost.messages = 2 * (step.ranks - 1)
    # The passes read the weights. A gradient is written; in both halves of the ring it is
    # read and written; the update reads it, and reads and writes the weights.
    passes = alone.streamed - 8 * parameters
    cost.streamed = passes + 4 * parameters * (1 + 4 * moved + 3)
    return cost


def walk(step, rank):
    """The same of one rank by what it needs, row by row and weight by weight.

    Returns operations forward, backward and for gradients, and bytes received.
    """
    last = len(step.sizes) - 1

    def has(l, unit):
        """Whether the rank computes this unit itself."""
        if l == 0 or not step.is_shared(l):
            return True
        width = GROUP if step.dropout else PANEL
        groups = -(-step.sizes[l] // width)
        owner = next(r for r in range(step.ranks) if unit // width < groups * (r + 1) // step.ranks)
        return owner == rank

    every = {l: range(step.sizes[l]) for l in range(last + 1)}
    operations = {"forward": 0, "backward": 0, "weights": 0}
    # What it reads: (what, layer, row, unit), weights as (layer, input, unit).
    reads, weights = set(), set()
    for l in range(1, last + 1):
        for row in range(step.batch):
            for unit in filter(lambda unit: has(l, unit), every[l]):
                for i in every[l - 1]:
                    operations["forward"] += 2
                    reads.add(("a", l - 1, row, i))
                    weights.add((l, i, unit))
            if l > 1:
                for i in filter(lambda i: has(l - 1, i), every[l - 1]):
                    for unit in every[l]:
                        operations["backward"] += 2
                        reads.add(("dz", l, row, unit))
                        weights.add((l, i, unit))
    # It keeps every weight that it reads up to date.
    for l, i, unit in weights:
        for row in range(step.batch):
            operations["weights"] += 2
            reads.add(("a", l - 1, row, i))
            reads.add(("dz", l, row, unit))
    received = sum(1 for _, l, _, unit in reads if not has(l, unit))
    return operations, 4 * received


def check():
    """Holds the counts against `walk`.

    Raises:
        AssertionError: a count differs.
    """
    cases = [
        ((5, 70, 50, 3), 2, False),
        ((5, 64, 16, 50, 3), 1, False),
        ((4, 30, 50, 40, 2), 1, False),
        ((3, 40, 2), 2, False),
        ((3, 300, 140, 2), 1, True),
    ]
    for sizes, batch, dropout in cases:
        for ranks in (1, 2, 3, 5):
            step = Step(sizes, batch, ranks, dropout, share_from=0)
            stages, (received, _) = units_of(step), received_of(step)
            for rank in range(ranks):
                walked, of_walk = walk(step, rank)
                found = dict.fromkeys(walked, 0)
                for (kind, _), of_ranks in stages.items():
                    found[kind] += of_ranks[rank] * (2 * batch if kind == "weights" else 1)
                assert found == walked, f"{step}, rank {rank}: {found}, expected {walked}"
                # A rank without units of a layer gets what only the others need.
                needs_all = all(min(step.own(l)) > 0 for l in step.layers)
                is_right = received[rank] == of_walk or not needs_all and received[rank] > of_walk
                assert is_right, f"{step}, rank {rank}: {received}, expected {of_walk}"
    formulas()


def formulas():
    """Holds the counts against the formulas of the page, where a division leaves no rest."""
    sizes, batch, ranks = (784, 8192, 8192, 10), 128, 16
    step, r = Step(sizes, batch, ranks), 1 / ranks
    cost, shared = units(step), [l for l in step.layers if step.is_shared(l)]
    assert shared == [1, 2], shared
    assert cost.messages == 2 * len(shared) - 1
    columns = sum(sizes[l] for l in shared) + sum(sizes[l] for l in shared if l > 1)
    assert cost.received == (1 - r) * 4 * batch * columns
    whole = {l: 2 * batch * sizes[l - 1] * sizes[l] for l in (1, 2, 3)}
    # Forward, gradient; also backward, and the gradient of the rows again; of the output
    # layer only what goes back is shared.
    expected = 2 * whole[1] * r + whole[2] * (3 * r + r * (1 - r)) + whole[3] * (2 + r)
    assert cost.operations == expected, (cost.operations, expected)
    alone = units(Step(sizes, batch))
    assert alone.operations == 3 * sum(whole.values()) - whole[1]
    for way in rows, reduced:
        assert way(Step(sizes, batch)).operations == alone.operations
        assert way(step).operations == alone.operations * r
