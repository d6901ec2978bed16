"""Prometheus figures of the server itself: what comes in, how far behind the facts are, how large the store is."""

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tickertape.api.service import Service


class _Figures(Collector):
    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> list[Metric]:
        service = self._service
        events = CounterMetricFamily(
            "tickertape_events", "Events accepted since the start.", labels=["source", "outcome"]
        )
        for source, counts in list(service.ingest.counts.items()):
            for outcome, value in (
                ("accepted", counts.events),
                ("duplicate", counts.duplicates),
                ("rejected", counts.rejected),
                ("refused", counts.refused),
            ):
                events.add_metric([source, outcome], value)
        found: list[Metric] = [events]
        for name, text, value in (
            ("tickertape_derive_backlog_events", "Events on disk that no figure shows yet.", service.deriver.backlog),
            ("tickertape_live_viewers", "Open live streams.", service.hub.viewers),
            ("tickertape_ingest_trouble", "1 while events cannot be written.", int(service.ingest.trouble is not None)),
        ):
            found.append(GaugeMetricFamily(name, text, value=value))
        size = GaugeMetricFamily("tickertape_table_bytes", "Bytes on disk.", labels=["table"])
        rows = GaugeMetricFamily(
            "tickertape_table_rows", "Rows, replaced ones that are not merged away included.", labels=["table"]
        )
        for table, bytes_, count in service.store.rows(
            "SELECT table, sum(bytes_on_disk), sum(rows) FROM system.parts"
            " WHERE active AND database = currentDatabase() GROUP BY table ORDER BY table"
        ):
            size.add_metric([table], bytes_)
            rows.add_metric([table], count)
        return [*found, size, rows]


def metrics_text(service: Service) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Figures(service))
    return generate_latest(registry)
