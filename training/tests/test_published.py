"""Heads of published bases: what is read, what is refused in words, and that a run may be cut at any minute."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer

from training.constants import BLOCK_SIZE
from training.models.gistnet import GistConfig, GistNet
from training.models.llama import Llama
from training.paths import MODEL_FOLDER
from training.published import evaluate_gistnet, evaluate_lensnet, export, gistnet, heads, lensnet, plain
from training.published.base import BaseFileError, OtherBaseError, load_published_base
from training.published.cloze import cloze_question
from training.published.corpus import CorpusError, encode, read_corpus
from training.published.pieces import PieceMaker, read_questions
from training.tests.test_resume import Killed, killed_at
from training.train.checkpoints import begin, entries_of, save_atomically

TEXT = "the harbour lantern keeps amber light over quiet stones while a clerk counts barrels and writes names"
WORDS = TEXT.split()


@pytest.fixture(scope="module")
def base_folder(small_base: Llama, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small base as its makers would publish it."""
    folder = tmp_path_factory.mktemp("small-base")
    entries = {**small_base.config.to_dict(), "max_position_embeddings": 4096, "bos_token_id": 0}
    (folder / "config.json").write_text(json.dumps(entries))
    (folder / "tokenizer.json").write_bytes((MODEL_FOLDER / "tokenizer.json").read_bytes())
    save_file({name: tensor.clone() for name, tensor in small_base.state_dict().items()}, folder / "model.safetensors")
    return folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two kinds of text: a folder, and a file beside it."""
    folder, rng = tmp_path_factory.mktemp("corpus"), random.Random(4)
    (folder / "letters").mkdir()
    for path in (folder / "letters" / "one.txt", folder / "notes.md"):
        sentences = (" ".join(rng.choice(WORDS) for _ in range(12)).capitalize() for _ in range(1_200))
        path.write_text(". ".join(sentences) + ".")
    question = {
        "question": "Who keeps the amber lantern?",
        "context": [["Harbour", ["A clerk keeps the amber lantern of the harbour. ", *[f"{TEXT} by night. "] * 4]]],
        "supporting_facts": [["Harbour", 0]],
    }
    (folder / "questions.jsonl").write_text((json.dumps(question) + "\n") * 20)
    return folder


def run(arguments: list[str], module=gistnet) -> dict[str, torch.Tensor]:
    options = module.parse_options([*arguments, "--seed", "3", "--save-seconds", "0", "--dtype", "float32"])
    begin(options.seed)
    trainer = module.Trainer(options, load_published_base(options.base))
    trainer.run()
    return {name: tensor.clone() for name, tensor in trainer.net.state_dict().items()}


def test_a_folder_is_read_as_it_was_written(base_folder: Path, small_base: Llama) -> None:
    published = load_published_base(base_folder)
    assert published.trained_context_tokens == 4096
    ids, positions = torch.arange(12)[None], torch.arange(12)[None]
    found, expected = (model(model.embed(ids), positions) for model in (published.model, small_base))
    assert torch.allclose(found, expected)
    assert not any(parameter.requires_grad for parameter in published.model.parameters())


def test_what_is_no_base_is_refused_in_words(base_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BaseFileError, match="no such file"):
        load_published_base(tmp_path / "missing.gguf")
    with pytest.raises(BaseFileError, match=r"has no config\.json"):
        load_published_base(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "mamba"}')
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(BaseFileError, match="mamba"):
        load_published_base(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "llama", "hidden_size": 16}')
    (tmp_path / "model.safetensors").write_bytes((base_folder / "model.safetensors").read_bytes())
    with pytest.raises(BaseFileError, match=r"config\.json: a field is missing"):
        load_published_base(tmp_path)


def test_a_corpus_has_kinds_and_holds_some_of_each_out(corpus: Path, tokenizer: Tokenizer) -> None:
    kinds = read_corpus([corpus], tokenizer, 256)
    assert {kind.name for kind in kinds} == {"letters", corpus.name}
    for kind in kinds:
        assert len(kind.train) % BLOCK_SIZE == 0
        assert 0.05 < len(kind.held_out) / len(kind.train) < 0.2


def test_a_missing_corpus_is_named(tokenizer: Tokenizer, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"nowhere: there is no such folder"):
        read_corpus([tmp_path / "nowhere"], tokenizer, 256)
    with pytest.raises(CorpusError, match="nothing to train on"):
        read_corpus([tmp_path], tokenizer, 256)


def test_a_language_in_bytes_is_left_out(
    corpus: Path, tokenizer: Tokenizer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "greek").mkdir()
    (tmp_path / "greek" / "one.txt").write_text("ἄνδρα μοι ἔννεπε μοῦσα πολύτροπον " * 400, encoding="utf-8")
    kinds = read_corpus([corpus, tmp_path], tokenizer, 256)
    assert "greek" not in {kind.name for kind in kinds}
    assert "greek: " in (said := capsys.readouterr().out)
    assert "in bytes" in said


def test_pieces_of_a_long_text_are_joined(tokenizer: Tokenizer) -> None:
    text = " ".join(WORDS * 2_000)
    assert encode(tokenizer, text).tolist() == tokenizer.encode(text).ids


def test_an_untrained_gist_is_the_centred_weighted_mean(small_base: Llama) -> None:
    net = GistNet(small_base.config, GistConfig(1, 8, "causal", residual="affine", mlp_width=8, lod2_blocks=0))
    weights = torch.rand(small_base.config.vocab_size) + 0.5
    net.start_centred(small_base, weights)
    tokens = torch.arange(BLOCK_SIZE)[None]
    children = small_base.embed(tokens)
    mean = (children[0] * weights[tokens[0], None]).sum(0) / weights[tokens[0]].sum()
    centre = small_base.model.embed_tokens.weight.mean(0)
    assert torch.allclose(net.lod1(children, tokens=tokens)[0], mean - centre, atol=1e-6)
    assert torch.allclose(net.lod2(children)[0], children[0].mean(0), atol=1e-6)


@pytest.mark.parametrize(("steps", "fatal"), [((3, 1), 3), ((1, 3), 5)], ids=["lod1", "lod2"])
def test_a_cut_run_goes_on(
    steps: tuple[int, int], fatal: int, base_folder: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gistnet, "MEASURED_WINDOWS", 2)
    lod1, lod2 = map(str, steps)
    arguments = ["--base", str(base_folder), "--corpus", str(corpus), "--lod1-steps", lod1, "--lod2-steps", lod2]
    arguments += ["--batch", "1", "--context", "8", "--blocks", "1"]
    whole = run([*arguments, "--out", str(tmp_path / "whole.pt")])
    cut = [*arguments, "--out", str(tmp_path / "cut.pt")]
    with monkeypatch.context() as patch:
        patch.setattr(gistnet, "descend", killed_at(fatal, gistnet.descend))
        with pytest.raises(Killed):
            run(cut)
    resumed = run([*cut, "--resume"])
    for key, tensor in whole.items():
        assert torch.equal(tensor, resumed[key]), key


@pytest.fixture(scope="module")
def trained(base_folder: Path, small_base: Llama, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of an untrained GistNet for the small base."""
    net = GistNet(small_base.config, GistConfig(1, 8, "causal", residual="affine", mlp_width=8, lod2_blocks=0))
    net.start_centred(small_base, torch.ones(small_base.config.vocab_size))
    path = tmp_path_factory.mktemp("trained") / "gistnet.pt"
    save_atomically(path, entries_of(net))
    return path


def test_a_question_is_made_of_its_sentence() -> None:
    rng, sentence = random.Random(2), "The clerk of Mara counted forty barrels before the harbour lantern was lit."
    own = set(sentence.rstrip(".").split())
    for _ in range(50):
        words = cloze_question(sentence, rng).rstrip("?.").replace(",", "").split()
        assert len(own & set(words)) >= 2


def test_a_question_knows_where_its_answer_stands(base_folder: Path, trained: Path, corpus: Path) -> None:
    published = load_published_base(base_folder)
    base = gistnet.FrozenBase(published, "cpu", torch.float32)
    maker = PieceMaker(base, lensnet.load_published_gistnet(trained, published), published.tokenizer)
    entry = json.loads((corpus / "questions.jsonl").read_text().splitlines()[0])
    piece = maker.paragraphs(entry, random.Random(1))
    assert piece.question == entry["question"]
    assert len(piece.gists) * BLOCK_SIZE == len(piece.tokens)
    for start, end in piece.supporting:
        assert "keeps the amber lantern" in published.tokenizer.decode(piece.tokens[start:end].tolist())


def test_a_gistnet_of_another_base_is_refused(base_folder: Path, tmp_path: Path, trained: Path) -> None:
    published = load_published_base(base_folder)
    with pytest.raises(lensnet.GistNetError, match="no such file"):
        lensnet.load_published_gistnet(tmp_path / "gistnet.pt", published)
    saved = torch.load(trained, weights_only=False)
    saved["state_dict"]["lod1.token_weights"] = torch.ones(7)
    torch.save(saved, tmp_path / "gistnet.pt")
    with pytest.raises(lensnet.GistNetError, match="another base"):
        lensnet.load_published_gistnet(tmp_path / "gistnet.pt", published)


@pytest.fixture(scope="module")
def other_base(base_folder: Path, small_base: Llama, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base of the same shape with other embeddings."""
    folder = tmp_path_factory.mktemp("other-base")
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_bytes((base_folder / name).read_bytes())
    torch.manual_seed(9)
    state = {name: tensor.clone() for name, tensor in small_base.state_dict().items()}
    state["model.embed_tokens.weight"] = torch.randn_like(state["model.embed_tokens.weight"])
    save_file(state, folder / "model.safetensors")
    return folder


def test_a_quantisation_is_the_same_base_and_another_base_is_not(base_folder: Path, other_base: Path) -> None:
    published, other = load_published_base(base_folder), load_published_base(other_base)
    mark = published.mark()
    rounded = {**mark, "sample": mark["sample"] * 1.02, "name": "rounded"}
    published.check({"base": rounded}, Path("net.pt"), "")
    published.check({}, Path("old.pt"), "")
    with pytest.raises(OtherBaseError, match=r"net\.pt: was trained for .*, not for .*; begin anew"):
        other.check({"base": mark}, Path("net.pt"), "begin anew")


@pytest.mark.parametrize("module", [gistnet, lensnet])
def test_a_run_on_another_base_is_not_gone_on_with(
    module, base_folder: Path, other_base: Path, corpus: Path, trained: Path, tmp_path: Path
) -> None:
    arguments = ["--corpus", str(corpus), "--out", str(tmp_path / "net.pt"), "--dtype", "float32"]
    if module is lensnet:
        arguments += ["--gistnet", str(trained), "--steps", "1", "--pieces", "12", "--width", "32"]
    else:
        arguments += ["--lod1-steps", "1", "--lod2-steps", "0", "--context", "8", "--blocks", "1"]
    trainer = module.Trainer(
        module.parse_options([*arguments, "--base", str(base_folder)]), load_published_base(base_folder)
    )
    if module is gistnet:
        trainer.optimizer = torch.optim.AdamW(trainer.net.parameters())
        trainer.progress = gistnet.Progress(None, 1)
    trainer.save()
    again = module.parse_options([*arguments, "--base", str(other_base), "--resume"])
    with pytest.raises(OtherBaseError, match="leave out --resume"):
        module.Trainer(again, load_published_base(other_base))


def test_a_line_that_is_no_question_is_named(tmp_path: Path, corpus: Path) -> None:
    whole = (corpus / "questions.jsonl").read_text().splitlines()[0]
    for wrong in ("{", '{"question": "Who?"}', '{"question": 1, "context": [], "supporting_facts": []}'):
        (tmp_path / "questions.jsonl").write_text(f"{whole}\n{wrong}\n")
        with pytest.raises(CorpusError, match=r"questions\.jsonl:2: is no question in HotpotQA's format"):
            read_questions([tmp_path], held_out=False)


def test_what_a_lens_run_made_first_is_kept_when_it_is_cut(
    base_folder: Path, corpus: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["--base", str(base_folder), "--corpus", str(corpus), "--gistnet", str(trained), "--steps", "1"]
    arguments += ["--pieces", "12", "--width", "32", "--dtype", "float32", "--out", str(tmp_path / "net.pt")]
    published = load_published_base(base_folder)
    first = lensnet.Trainer(lensnet.parse_options(arguments), published)
    monkeypatch.setattr(lensnet.Trainer, "make_pieces", None)
    again = lensnet.Trainer(lensnet.parse_options([*arguments, "--resume"]), published)
    assert [piece.tokens.tolist() for piece in again.pieces] == [piece.tokens.tolist() for piece in first.pieces]


def test_a_cut_lens_run_goes_on(
    base_folder: Path, corpus: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lensnet, "MEASURED", 4)
    arguments = ["--base", str(base_folder), "--corpus", str(corpus), "--gistnet", str(trained), "--steps", "4"]
    arguments += ["--batch", "2", "--pieces", "12", "--width", "32"]
    whole = run([*arguments, "--out", str(tmp_path / "whole.pt")], lensnet)
    cut = [*arguments, "--out", str(tmp_path / "cut.pt")]
    with monkeypatch.context() as patch:
        patch.setattr(lensnet, "descend", killed_at(3, lensnet.descend))
        with pytest.raises(Killed):
            run(cut, lensnet)
    resumed = run([*cut, "--resume"], lensnet)
    for key, tensor in whole.items():
        assert torch.equal(tensor, resumed[key]), key


def test_heads_are_written_with_a_card(base_folder: Path, trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "small-heads"
    options = ["--base", str(base_folder), "--gistnet", str(trained), "--lensnet", str(tmp_path / "none.pt")]
    options += ["--folder", str(folder), "--base-name", "Small", "--base-model", "someone/small"]
    manifest = export.export(export.parse_options([*options, "--policy", "bm25", "--gist-input", "none"]))
    assert manifest["kind"] == "heads" and manifest["id"] == "small-heads"
    assert manifest["defaults"]["gistInput"] == "none" and "lensNet" not in manifest
    assert set(manifest["files"]) == {"gistnet.safetensors"}
    sample = manifest["madeFor"]["sample"]
    assert len(sample["values"]) == len(sample["tokens"]) * sample["columns"]
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\nbase_model: someone/small\nlicense: apache-2.0\n")
    assert "Not measured yet." in card and "tokens not counted" in card
    torch.manual_seed(0)
    wide = lensnet.LensNet(lensnet.LensConfig(24, 32, 4, 8, 64, lexical_features=lensnet.LEXICAL))
    save_atomically(tmp_path / "wide.pt", entries_of(wide))
    with pytest.raises(OtherBaseError, match=r"wide\.pt: reads vectors of 24 numbers"):
        export.export(export.parse_options([*options[:4], "--lensnet", str(tmp_path / "wide.pt"), *options[6:]]))
    again = export.export(export.parse_options([*options[:8], "--budget", "512"]))
    assert again["defaults"] == {**manifest["defaults"], "budgetTokens": 512}
    assert again["madeFor"]["name"] == "Small"


def test_one_command_shares_its_time_among_the_steps(tmp_path: Path) -> None:
    arguments = ["--base", "b.gguf", "--corpus", "texts", "--minutes", "10", "--folder", str(tmp_path), "--resume"]
    gist, lens, written = heads.commands(heads.parse_options(arguments))
    assert {"--resume"} <= set(gist) & set(lens)
    minutes = [float(step[step.index(name) + 1]) for step, name in ((gist, "--lod1-minutes"), (gist, "--lod2-minutes"))]
    assert sum(minutes) + float(lens[lens.index("--minutes") + 1]) == pytest.approx(10)
    assert lens[lens.index("--gistnet") + 1] == gist[gist.index("--out") + 1] == written[written.index("--gistnet") + 1]
    assert gistnet.parse_options(gist[1:]).resume and export.parse_options(written[1:]).hours == 0.17


def test_lensnet_is_measured_on_questions_in_squads_format(
    base_folder: Path, trained: Path, small_base: Llama, tmp_path: Path
) -> None:
    rng, paragraphs = random.Random(6), []
    for place in range(12):
        context = " ".join(rng.choice(WORDS) for _ in range(60)) + f" The clerk of gate {place} is Mara. "
        asked = {"question": f"Who is the clerk of gate {place}?"}
        answer = {"text": "Mara", "answer_start": context.index("Mara")}
        paragraphs.append({"context": context, "qas": [{**asked, "answers": [answer]}, {**asked, "answers": []}]})
    (tmp_path / "squad.json").write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    torch.manual_seed(0)
    net = lensnet.LensNet(lensnet.LensConfig(16, 32, 4, 8, 64, lexical_features=lensnet.LEXICAL))
    lensnet.start_untrained(net, small_base.model.embed_tokens.weight)
    save_atomically(tmp_path / "lensnet.pt", entries_of(net))
    options = ["--base", str(base_folder), "--gistnet", str(trained), "--lensnet", str(tmp_path / "lensnet.pt")]
    options += ["--squad", str(tmp_path / "squad.json"), "--tokens", "640", "--n", "6"]
    measured = evaluate_lensnet.measure(evaluate_lensnet.parse_options(options))
    found, ahead = measured["found"], measured["ahead"]["bm25@8"]
    assert ahead["ahead"] == pytest.approx(found["lensnet@8"]["accuracy"] - found["bm25@8"]["accuracy"], abs=1e-3)
    assert ahead["ci95"][0] <= ahead["ahead"] <= ahead["ci95"][1]
    names = {entry["name"]: entry for entry in evaluate_lensnet.figures_of(measured, "the command")}
    assert names["routing.squad.640.bm25.first8"]["value"] == found["bm25@8"]["accuracy"]
    assert names["routing.squad.640.lensnetAheadOf.bm25.first8"]["command"] == "the command"
    assert found["bm25@8"]["n"] == found["lensnet@8"]["n"] == 6
    assert found["bm25@8"]["accuracy"] >= 0.5


def test_gists_are_measured_against_deletion(base_folder: Path, corpus: Path, trained: Path) -> None:
    options = ["--base", str(base_folder), "--gistnet", str(trained), "--text", str(corpus / "notes.md"), "--n", "5"]
    options += ["--dtype", "float32", "--blocks", "3"]
    found = evaluate_gistnet.measure(evaluate_gistnet.parse_options(options))
    assert found["n"] == 5 and found["historyTokens"] == 96
    assert all(isinstance(found[name], float) for name in ("gists", "newest", "full", "gapRecovered"))
    written = {entry["name"]: entry for entry in evaluate_gistnet.figures_of(found, "the command")}
    assert written["gist.lod1.96.gapRecovered"]["ci95"] == found["gapCi95"]


def test_a_gist_without_its_residual_is_the_mapped_mean(small_base: Llama) -> None:
    torch.manual_seed(2)
    net = GistNet(small_base.config, GistConfig(1, 8, "causal", residual="affine", mlp_width=8, lod2_blocks=0))
    net.start_centred(small_base, torch.rand(small_base.config.vocab_size) + 0.5)
    torch.nn.init.normal_(net.lod1.mlp.down.weight)
    tokens = torch.arange(3, 3 + BLOCK_SIZE)[None]
    children = small_base.embed(tokens)
    left = plain.without_residual(net, small_base.config)
    assert torch.allclose(left.lod1(children, tokens=tokens), net.lod1.start(children, tokens), atol=1e-6)
    assert not torch.allclose(net.lod1(children, tokens=tokens), net.lod1.start(children, tokens), atol=1e-3)
