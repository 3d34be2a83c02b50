"""Resources: the one way to what accounts configure. Each kind has a type, kept as JSON and remembered for a second."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, Generic, TypeVar

import msgspec
from msgspec.structs import replace

from parley.core.cache import Cache
from parley.core.refusal import Reason, Refused
from parley.lib.clock import Clock
from parley.lib.ids import Ids
from parley.model.callback import Callback
from parley.model.resource import Resource, Row
from parley.store import Engine, resources

T = TypeVar("T")

_REASONS: Final[Mapping[resources.Added, Reason]] = {
    "full": "pool_full",
    "name_taken": "name_taken",
    "number_gone": "sender_not_owned",
    "parent_gone": "not_found",
}


class Resources(Generic[T]):
    """All resources of one kind, of every account. `children` are the kinds that go with one that is dropped:
    its own, and theirs; `forget_others` is called then.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        ids: Ids,
        kind: str,
        type_: type[T],
        children: Collection[str] = (),
        forget_others: Callable[[], None] | None = None,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._ids = ids
        self._kind = kind
        self._decode = msgspec.json.Decoder(type_).decode
        self._children = children
        self._forget_others = forget_others
        self._by_id: Cache[tuple[bytes, bytes], Resource[T]] = Cache(clock)
        self._by_name: Cache[tuple[bytes, str], tuple[Resource[T] | None]] = Cache(clock)
        self._families: Cache[tuple[bytes, bytes | None], tuple[Resource[T], ...]] = Cache(clock)
        self.changes = 0
        """Grows with each change that is known of: what was made of the resources may not hold any more."""

    def forget(self) -> None:
        """Ask the record again, because another node, or another part of this one, changed something."""
        self.changes += 1
        self._by_id.clear()
        self._by_name.clear()
        self._families.clear()

    async def add(
        self,
        account_id: bytes,
        value: T,
        *,
        parent_id: bytes | None = None,
        name: str | None = None,
        due_at: int | None = None,
        id: bytes | None = None,
        owes: Sequence[Callback] = (),
        number: str | None = None,
        most: int | None = None,
    ) -> Resource[T]:
        """Make a resource, whose id is made too unless given, and owe callbacks for that. `number` is the address that
        the account has to own for it, `most` how many of the kind its parent may have.

        Raises Refused: name_taken when another of this account has the name, or any has the id; not_found when its
        parent is gone; pool_full when that has as many as it may; sender_not_owned when the account has no such number.
        """
        now = self._clock.now()
        made = Resource(id or self._ids.new(), account_id, value, now, now, parent_id, name, due_at)
        became = await self._engine.write(resources.add, self._row(made), owes, number=number, most=most)
        if became != "added":
            raise Refused(_REASONS[became], number or name or "")
        self.forget()
        return made

    async def find(self, account_id: bytes, resource_id: bytes) -> Resource[T] | None:
        """One of the account's, as it was within the last second."""
        key = (account_id, resource_id)
        return self._by_id.get(key) or await self._by_id.ask(key, lambda: self._find(*key))

    async def _find(self, account_id: bytes, resource_id: bytes) -> Resource[T] | None:
        row = await self._engine.read(resources.fetch, account_id, self._kind, resource_id)
        return None if row is None else self._resource(row)

    async def fetch(self, account_id: bytes, resource_id: bytes) -> Resource[T]:
        """One of the account's, as the record has it now. Raises Refused(not_found)."""
        row = await self._engine.read(resources.fetch, account_id, self._kind, resource_id)
        if row is None:
            raise Refused("not_found")
        return self._resource(row)

    async def named(self, account_id: bytes, name: str) -> Resource[T] | None:
        """The one of that name, as it was within the last second."""
        key = (account_id, name)
        known = self._by_name.get(key) or await self._by_name.ask(key, lambda: self._named(*key))
        return known[0] if known is not None else None

    async def _named(self, account_id: bytes, name: str) -> tuple[Resource[T] | None]:
        row = await self._engine.read(resources.by_name, account_id, self._kind, name)
        return (None if row is None else self._resource(row),)

    async def family(self, account_id: bytes, parent_id: bytes | None = None) -> tuple[Resource[T], ...]:
        """All of the account's, of one parent when given, the oldest first, as they were within the last second."""
        key = (account_id, parent_id)
        known = self._families.get(key)
        if known is None:
            known = await self._families.ask(key, lambda: self._family(*key))
        return known or ()

    async def _family(self, account_id: bytes, parent_id: bytes | None) -> tuple[Resource[T], ...]:
        rows = await self._engine.read(resources.everything, account_id, self._kind, parent_id)
        return tuple(map(self._resource, rows))

    async def page(
        self,
        account_id: bytes,
        limit: int,
        after: bytes | None = None,
        *,
        parent_id: bytes | None = None,
        backwards: bool = False,
        skip: int = 0,
    ) -> list[Resource[T]]:
        """At most `limit` older than `after` (newer, when `backwards`), newest first."""
        rows = await self._engine.read(
            resources.page,
            account_id,
            self._kind,
            limit,
            after,
            parent_id=parent_id,
            backwards=backwards,
            skip=skip,
        )
        return list(map(self._resource, rows))

    async def count(self, account_id: bytes, parent_id: bytes | None = None) -> int:
        """How many the account has, of one parent when given."""
        return await self._engine.read(resources.count, account_id, self._kind, parent_id)

    async def due(self, limit: int, after: tuple[int, bytes] | None = None) -> list[Resource[T]]:
        """Up to `limit`, of whichever account, to which something is to happen by now, the longest due first; from
        behind the time and id of one, when given.
        """
        rows = await self._engine.read(resources.due, self._kind, self._clock.now(), limit, after)
        return list(map(self._resource, rows))

    async def change(
        self,
        account_id: bytes,
        resource_id: bytes,
        change: Callable[[Resource[T]], Resource[T]],
    ) -> Resource[T]:
        """Replace value, name or time by what `change` makes of the resource as it stands; what it raises passes.

        Raises Refused: not_found, name_taken. `change` is asked twice: of others' changes meanwhile none is lost.
        """
        # What it raises, it raises here, and hardly ever in the transaction, which others share.
        wanted = change(await self.fetch(account_id, resource_id))
        now = self._clock.now()

        def altered(row: Row) -> Row:
            return self._row(replace(change(self._resource(row)), updated_at=now))

        found = await self._engine.write(resources.alter, account_id, self._kind, resource_id, altered)
        if found == "gone":
            raise Refused("not_found")
        if found == "name_taken":
            raise Refused("name_taken", wanted.name or "")
        self.forget()
        return self._resource(found)

    async def put(self, after: Resource[T], owes: Sequence[Callback] = ()) -> bool:
        """Replace a resource by what was made of it, and owe callbacks for that. False, and nothing happened, when
        somebody changed it since it was read.
        """
        if not await self._engine.write(resources.change, self._row(after), owes):
            return False
        self.forget()
        return True

    async def drop(self, account_id: bytes, resource_id: bytes) -> None:
        """Remove one of the account's with what belongs to it. Raises Refused(not_found)."""
        gone = await self._engine.write(
            resources.drop, account_id, self._kind, resource_id, with_children=self._children
        )
        self.forget()
        if self._children and self._forget_others is not None:
            self._forget_others()
        if not gone:
            raise Refused("not_found")

    def _row(self, resource: Resource[T]) -> Row:
        return Row(
            resource.id,
            resource.account_id,
            self._kind,
            resource.parent_id,
            resource.name,
            resource.due_at,
            msgspec.json.encode(resource.value).decode(),
            resource.created_at,
            resource.updated_at,
            resource.revision,
        )

    def _resource(self, row: Row) -> Resource[T]:
        return Resource(
            row.id,
            row.account_id,
            self._decode(row.data),
            row.created_at,
            row.updated_at,
            row.parent_id,
            row.name,
            row.due_at,
            row.revision,
        )
