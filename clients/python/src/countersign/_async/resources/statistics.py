"""What happened lately."""

from __future__ import annotations

from ... import types
from ..._call import Call
from ..transport import AsyncTransport


class AsyncStatistics:
    """What happened lately, counted over all users. Needs the scope `admin`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def get(
        self, *, window: types.StatisticsWindow | None = None, timeout: float | None = None
    ) -> types.Statistics:
        """Counts of the last hour by the minute, or of the last day by the quarter of an hour.

        Args:
            window: `1h` or `24h`.
            timeout: For how many seconds the call may take, retries included.

        """
        query = {"window": window}
        read = types.Statistics.from_json
        call = Call("getStatistics", "GET", "/v1/statistics", read, query=query)
        return await self._transport.send(call, timeout=timeout)
