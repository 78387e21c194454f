"""Does a store keep the contract between processes? Tests that `StoreContract` inherits."""

# ruff: noqa: S101  (assertions are what a test consists of)

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import pytest

from stored._store_process import RemoteThread, StoreProcess, answering
from stored.typing import Store, Turn, left_out

__all__ = ["ProcessContract"]

Others: TypeAlias = Callable[[Store], StoreProcess]

NAME = "a/b"
_A_MOMENT = 0.5
"""Seconds after which a thread that has not answered is taken for one that waits."""


class ProcessContract:
    """Tests with several processes that use one store.

    What a store leaves out (`Store.left_out`) it need not do: where nobody waits, each computes at once.
    """

    is_shared = True
    """Do processes to which the store is pickled have the same results? If not, these tests are skipped."""

    patience = 60.0
    """Seconds after which a test takes for hung what has not gone on; a lease must be shorter."""

    @pytest.fixture
    def others(self, request: pytest.FixtureRequest) -> Iterator[Others]:
        """A function that gives another process which uses a store, a new one each time."""
        idle, taken = _idle_processes(request.node.getparent(pytest.Class)), []

        def take(store: Store) -> StoreProcess:
            if not self.is_shared:
                pytest.skip(f"{type(self).__qualname__}.is_shared is False: the store is of one process only")
            living = [each for each in idle if each.is_alive()]  # one may have ended since, with what it was left
            idle[:] = living[:-1]
            taken.append(living[-1] if living else StoreProcess(self.patience))
            taken[-1].use(store)
            return taken[-1]

        yield take
        for each in taken:
            if each.is_as_new():
                idle.append(each)
            else:
                each.kill()

    def test_processes_share_a_store(self, store: Store, others: Others) -> None:
        """A store is pickled to another process, and each reads, lists and removes what the other wrote."""
        there = others(store).first
        store.write(NAME, [b"here"])
        there.call("write", "a/c", [b"there"])
        assert there.call("read", NAME) == b"here", "the other process does not read what was written here"
        assert _bytes(store.read("a/c")) == b"there", "what the other process wrote is not read here"
        assert sorted(store.names()) == [NAME, "a/c"]
        assert there.call("delete", NAME) is True
        assert store.read(NAME) is None

    def test_the_count_is_of_all_processes(self, store: Store, others: Others) -> None:
        """What each process counts as written is in the count that both see, if the store keeps one."""
        there = others(store).first
        before = store.count_written(0)
        found = there.call("count_written", 7), store.count_written(5)
        expected = [None, None] if before is None else [before.bytes + 7, before.bytes + 12]
        assert [each and each.bytes for each in found] == expected, "the count is of one process only"

    def test_one_process_computes_at_a_time(self, store: Store, others: Others) -> None:
        """While one process has the turn for a name the others wait, unless they want not to, and then read it."""
        first, *waiting = (others(store).first for _ in range(3))
        assert first.enter("compute_turn", NAME, None) is Turn.MINE
        if "compute_turn" in left_out(store):
            assert waiting[0].enter("compute_turn", NAME, 0.0) is Turn.MINE, "compute_turn() is left out, and waits"
            return
        assert waiting[0].enter("compute_turn", NAME, 0.0) is Turn.EXPIRED, "two compute at once"
        assert waiting[0].enter("compute_turn", "a/c", None) is Turn.MINE, "it waits for another name"
        for _ in range(2):
            waiting[0].leave()
        self._let_wait(waiting)
        first.call("write", NAME, [b"done"])
        first.leave()
        self._expect_read(waiting)

    def test_a_holder_that_dies_keeps_nobody_waiting(self, store: Store, others: Others) -> None:
        """When the process is killed that has the turn, one of those who wait has it, and the other waits for that."""
        self._need(store, "compute_turn")
        holder, *processes = (others(store) for _ in range(3))
        waiting = [each.first for each in processes]
        assert holder.first.enter("compute_turn", NAME, None) is Turn.MINE
        self._let_wait(waiting)
        holder.kill()
        successor = self._next(waiting)
        assert successor.answer() is Turn.MINE
        assert not answering(waiting, _A_MOMENT), "two compute at once"
        successor.call("write", NAME, [b"done"])
        successor.leave()
        self._expect_read(waiting)

    @pytest.mark.parametrize("error", [None, ValueError("of a test"), KeyboardInterrupt()], ids=repr)
    def test_a_holder_without_a_result_keeps_nobody_waiting(
        self, store: Store, others: Others, error: BaseException | None
    ) -> None:
        """When the block ends in which nothing was written, with an error or not, those who wait go on."""
        self._need(store, "compute_turn")
        holder, *waiting = (others(store).first for _ in range(3))
        assert holder.enter("compute_turn", NAME, None) is Turn.MINE
        self._let_wait(waiting)
        holder.leave(error)
        while waiting:
            each = self._next(waiting)
            assert each.answer() is not Turn.EXPIRED, "it has a time limit that nobody set"
            each.leave(error)

    def test_one_of_those_who_wait_takes_over_at_the_limit(self, store: Store, others: Others) -> None:
        """After the time limit one of those who wait computes too, and the other waits for that."""
        self._need(store, "compute_turn")
        holder, *waiting = (others(store).first for _ in range(3))
        assert holder.enter("compute_turn", NAME, None) is Turn.MINE
        for each in waiting:
            each.begin("enter", "compute_turn", NAME, 2 * _A_MOMENT)
        second = self._next(waiting)
        assert second.answer() is Turn.EXPIRED
        assert not answering(waiting, _A_MOMENT), "all who wait compute at the limit"
        second.call("write", NAME, [b"done"])
        second.leave()
        self._expect_read(waiting)
        holder.leave()

    def test_processes_do_not_wait_for_each_other(self, store: Store, others: Others) -> None:
        """Of two processes that have a turn each, and need that of the other, one goes on, and then the other."""
        self._need(store, "compute_turn")
        one, other = threads = [others(store).first for _ in range(2)]
        for each, name in zip(threads, ("a/1", "a/2"), strict=True):
            assert each.enter("compute_turn", name, None) is Turn.MINE
        one.begin("enter", "compute_turn", "a/2", None)
        other.begin("enter", "compute_turn", "a/1", None)
        self._let_all_go_on({one: [one], other: [other]})

    def test_threads_that_wait_in_their_process_are_seen(self, store: Store, others: Others) -> None:
        """Two processes do not wait for each other through a thread that waits for another one of its process."""
        self._need(store, "compute_turn", "declare_wait")
        process, other = others(store), others(store).first
        assert process.first.enter("compute_turn", "a/1", None) is Turn.MINE
        assert process.second.enter("compute_turn", "a/2", None) is Turn.MINE
        assert other.enter("compute_turn", "a/3", None) is Turn.MINE
        process.second.enter("declare_wait", "a/1")
        process.first.begin("enter", "compute_turn", "a/3", None)
        other.begin("enter", "compute_turn", "a/2", None)
        self._let_all_go_on({process.first: [process.first, process.second], other: [other]})

    def test_a_fork_leaves_both_processes_their_store(self, store: Store, others: Others) -> None:
        """After a fork both go on: the child reads, writes and computes, and what the parent computes stays its own."""
        process, other = others(store), others(store).first
        parent = process.first
        parent.call("write", "a/c", [b"1"])
        assert parent.enter("compute_turn", NAME, None) is Turn.MINE
        child = process.fork()
        assert child.call("read", "a/c") == b"1"
        child.enter("compute_turn", NAME, 0.0)
        child.leave()
        assert child.enter("compute_turn", "a/d", None) is Turn.MINE
        child.call("write", "a/d", [b"2"])
        child.leave()
        child.leave(KeyboardInterrupt())  # the block of the parent
        turn = other.enter("compute_turn", NAME, 0.0)
        other.leave()
        assert turn is (Turn.MINE if "compute_turn" in left_out(store) else Turn.EXPIRED), "the child ended the turn"
        parent.call("write", NAME, [b"3"])
        parent.leave()
        assert other.enter("compute_turn", NAME, None) is Turn.MINE
        assert [other.call("read", name) for name in (NAME, "a/d")] == [b"3", b"2"]
        other.leave()

    def _need(self, store: Store, *methods: str) -> None:
        missing = left_out(store) & set(methods)
        if missing:
            pytest.skip(f"the store leaves out {', '.join(sorted(missing))}")

    def _let_wait(self, waiting: list[RemoteThread]) -> None:
        """Let threads wait for their turn."""
        for each in waiting:
            each.begin("enter", "compute_turn", NAME, None)
        assert not answering(waiting, _A_MOMENT), "two compute at once"

    def _next(self, waiting: list[RemoteThread]) -> RemoteThread:
        """The next of those who wait to go on, which is taken from them."""
        found = answering(waiting, self.patience)
        assert found, "all wait, and nothing keeps them from going on"
        waiting.remove(found[0])
        return found[0]

    def _expect_read(self, waiting: list[RemoteThread]) -> None:
        """All who wait go on, and read what was written."""
        while waiting:
            each = self._next(waiting)
            assert each.answer() is not Turn.EXPIRED
            assert each.call("read", NAME) == b"done"
            each.leave()

    def _let_all_go_on(self, leaving: dict[RemoteThread, list[RemoteThread]]) -> None:
        """Threads that wait go on one after another; after each, those in its list leave two blocks."""
        waiting = list(leaving)
        while waiting:
            each = self._next(waiting)
            assert each.answer() is not Turn.EXPIRED
            for thread in leaving[each]:
                thread.leave()
                thread.leave()


_IDLE = pytest.StashKey[list[StoreProcess]]()


def _idle_processes(node: pytest.Class) -> list[StoreProcess]:
    """The processes that no test of a class uses now; they end when all its tests have."""
    if _IDLE not in node.stash:
        idle = node.stash[_IDLE] = []
        node.addfinalizer(lambda: _kill(idle))
    return node.stash[_IDLE]


def _kill(processes: Iterable[StoreProcess]) -> None:
    for each in processes:
        each.kill()


def _bytes(data: object) -> bytes | None:
    return bytes(data) if isinstance(data, bytes | bytearray | memoryview) else None
