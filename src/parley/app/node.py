"""The life of one node: starts every part in order, serves, and stops them."""

import asyncio
from typing import Final

import structlog
from starlette.types import Receive, Scope, Send

from parley.app import terms
from parley.app.parts import Parts
from parley.app.surface import VERSION
from parley.core.claim import NameTaken
from parley.core.maintain import Maintenance
from parley.settings import SettingsError
from parley.store import StoreUnavailable, accounts
from parley.store.connect import UrlError, open_engine
from parley.store.migrate import SchemaError, migrate
from parley.store.vault import VaultError

log = structlog.get_logger(__name__)

SEED_NUMBERS: Final = ("+15551234567", "+15557654321")
"""Owned by the first account in the dev profile."""
_EXPECTED: Final = (SettingsError, UrlError, SchemaError, StoreUnavailable, VaultError, NameTaken)
"""What keeps a node from starting, and says by itself what to do about it."""
_FAREWELL_S: Final = 5.0
"""What closing may take at most, and as long as the loops had: a commit that hangs must not keep the process."""
_LEAST_FAREWELL_S: Final = 1.0


class App(Parts):
    """One node: an ASGI application whose lifespan starts and stops everything else."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or the lifespan."""
        if scope["type"] == "http":
            await self.surface(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self.relay_server(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self.start()
        except Exception as error:
            if isinstance(error, _EXPECTED):
                log.error("the node cannot start", reason=str(error))
            else:
                log.exception("the node cannot start")
            await self.opened.aclose()
            await send({"type": "lifespan.startup.failed", "message": ""})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def start(self) -> None:
        """Bring the schema up to date, connect, and start every loop. Raises what keeps the node from starting."""
        await migrate(self.settings.database_url)
        engine = open_engine(self.settings.database_url)
        await engine.open()
        self.opened.push_async_callback(engine.close)
        if await engine.read(accounts.exist):
            terms.check_key_is_there(self.settings)
        self.build(engine)
        await self._prepare_accounts()
        await self.claims.join()
        await self.carrier.start(self.record.receive, self.receiving.bring)
        self.supervisor.start("watch", self.watch.run)
        self.supervisor.start("dispatch", self.dispatch.run)
        self.supervisor.start("deliver", self.delivery.run)
        self.supervisor.start("claim-messages", self.claims.claim_messages)
        self.supervisor.start("claim-callbacks", self.claims.claim_callbacks)
        self.supervisor.start("lease", self.claims.keep_lease)
        self.supervisor.start("inspect", self.claims.inspect)
        self.supervisor.start("usage", lambda: self.claims.repeat("usage", self.usage_triggers.turn))
        self.supervisor.start("review", lambda: self.claims.repeat("review", self.reviewing.turn, self.reviewing.nudge))
        self.supervisor.start("orders", lambda: self.claims.repeat("orders", self.orders.turn, self.orders.nudge))
        self.supervisor.start("relay", lambda: self.claims.repeat("relay", self.relay.turn, self.relay.nudge))
        self.supervisor.start("relay-clients", lambda: self.claims.repeat("relay-clients", self.relay_server.turn))
        self.supervisor.start("calls", lambda: self.claims.repeat("calls", self.calls.turn))
        self.supervisor.start("verifications", lambda: self.claims.repeat("verifications", self.verify.turn))
        self.supervisor.start("maintenance", Maintenance(self.record, self.clock, self.claims, self.usage).run)
        log.info("ready", version=VERSION, profile=self.settings.profile, engine=self.engine.name)

    def quiesce(self) -> None:
        """Be ready no more, and let everybody go who waits for news, so that their connections can end."""
        self.health.is_stopping = True
        self.phones.stop_waiting()
        self.calls.stop_waiting()
        self.events.stop_waiting()
        self.relay_server.stop()

    async def stop(self) -> None:
        """Finish what is under way, within the time that the settings give, and free the rest for another node."""
        self.quiesce()
        self.claims.stop()
        self.watch.stop()
        self.due.close()
        self.owed.close()
        try:
            async with asyncio.timeout(self.settings.drain_s):
                await self.calls.ended()
                await self.supervisor.ended()
        except TimeoutError:
            log.warning("stopping with work under way; its outcome is settled by the next start")
            self.calls.cancel()
            self.supervisor.cancel()
        try:
            async with asyncio.timeout(min(_FAREWELL_S, max(_LEAST_FAREWELL_S, self.settings.drain_s))):
                await self._close()
        except TimeoutError:
            self.engine.give_up()
            log.error("stopping though the database does not answer; what was accepted is settled by the next start")
        log.info("stopped")

    async def _close(self) -> None:
        await self.carrier.close()
        await self.client.aclose()
        try:
            await self.claims.leave()
        except StoreUnavailable as error:
            log.warning("what this node held comes free when its lease ends", error=str(error))
        await self.engine.close()

    async def _prepare_accounts(self) -> None:
        """Make the first account, or bring it in line with the settings; own the dev profile's numbers."""
        token = self.settings.secrets.auth_token
        account, self.is_first_start = await self.accounts.first(
            "First account", terms.account_id(self.settings), token.reveal() if token else None
        )
        if token is not None:
            account = await self.accounts.given(account, token)
            if account.auth_token != token:
                log.warning("the auth token of the settings is not in use: the account's was rotated since it was set")
        self.first_account = account
        if self.is_dev:
            for address in SEED_NUMBERS:
                await self.numbers.own(self.numbers.blank(account.id, address, "twilio"))
