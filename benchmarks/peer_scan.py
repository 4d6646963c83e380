"""Run one secret scanner over one file, in the peers' own environment: `peer_scan.py PEER FILE`.

A line on stdin starts one more pass; the answer is a line of JSON: CPU seconds, and what was reported. Imports and one-time set-up
are done before the first answer. Nothing is sent to the network: no scanner is given a value that it would verify there.
"""

# ruff: noqa: ARG002  # signatures of Presidio's

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

CHUNK = 8_192
"""Characters Presidio is given at once, in whole lines: its removal of duplicates compares every report with every other."""

Scan = Callable[[Path], set[str]]


def detect_secrets() -> Scan:
    from detect_secrets import SecretsCollection
    from detect_secrets.settings import default_settings

    def scan(path: Path) -> set[str]:
        found = SecretsCollection()
        with default_settings():
            found.scan_file(str(path))
        return {str(secret.secret_value) for secrets in found.data.values() for secret in secrets}

    return scan


def wordless() -> object:
    """An engine for language that says nothing of any text."""
    from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

    class Wordless(NlpEngine):  # type: ignore[misc]  # not in the environment mypy sees
        def load(self) -> None: ...

        def is_loaded(self) -> bool:
            return True

        def process_text(self, text: str, language: str) -> object:
            return NlpArtifacts(entities=[], tokens=[], tokens_indices=[], lemmas=[], nlp_engine=self, language=language)

        def process_batch(self, texts: list[str], language: str, **_: object) -> Iterator[tuple[str, object]]:
            yield from ((text, self.process_text(text, language)) for text in texts)

        def is_stopword(self, word: str, language: str) -> bool:
            return False

        def is_punct(self, word: str, language: str) -> bool:
            return False

        def get_supported_entities(self) -> list[str]:
            return []

        def get_supported_languages(self) -> list[str]:
            return ["en"]

    return Wordless()


def presidio() -> Scan:
    """Presidio with every recogniser that is a pattern and no model of a language."""
    import tldextract
    from presidio_analyzer import AnalyzerEngine, PatternRecognizer, RecognizerRegistry

    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    engine = wordless()
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=engine)
    registry.recognizers = [one for one in registry.recognizers if isinstance(one, PatternRecognizer)]
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])

    def scan(path: Path) -> set[str]:
        found = set()
        for text in chunks(path.read_text("utf-8")):
            found |= {text[one.start : one.end] for one in analyzer.analyze(text, "en")}
        return found

    return scan


def chunks(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = text.find("\n", start + CHUNK)
        end = len(text) if end < 0 else end + 1
        yield text[start:end]
        start = end


PEERS: dict[str, Callable[[], Scan]] = {"detect-secrets": detect_secrets, "presidio": presidio}


def main(peer: str, path: Path) -> None:
    scan = PEERS[peer]()
    small = path.with_name(f"{peer}-warm-up")
    small.write_text('{"warm": "up"}\n', "utf-8")
    scan(small)
    for _ in sys.stdin:
        start = time.process_time()
        found = scan(path)
        print(json.dumps({"seconds": time.process_time() - start, "found": sorted(found)}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
