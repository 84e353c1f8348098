/** A study that a script has answered: the objects say what the classifier says. */
import assert from "node:assert/strict";
import { parseDicom } from "../../lib/imaging/dicom/dataset.ts";
import { Studies } from "../../lib/imaging/studies.ts";
import { loadClassifier, pacs } from "../../mod.ts";
import { MR_IMAGE } from "../support/answers.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { modelBytes } from "../support/served_models.ts";
import { study } from "../support/study.ts";

/** The sagittal images of a study. */
function sagittal(number: number) {
  return [...study(number, { "0008,0016 UI": MR_IMAGE })]
    .filter(([name]) => name.startsWith("sagittal/IM1"))
    .map(([name, bytes]) => ({ name, bytes }));
}

Deno.test("a study is answered with what the classifier says, by a report and on request by pictures", async () => {
  await using folder = await TemporaryFolder.make();
  await folder.write("acl.safetensors", await modelBytes());
  using classifier = await loadClassifier(folder.at("acl.safetensors"));
  const files = sagittal(1);
  const plain = await pacs.answerStudy(classifier, files);
  using studies = await Studies.open(files);
  const said = await classifier.predict({
    sagittal: await studies.studies[0].exams.sagittal!.read(),
  });
  assert.equal(plain.answer.probability, said.probability);
  assert.equal(plain.answer.sha256, classifier.sha256);
  assert.deepEqual([plain.pictures, plain.leftOut], [[], []]);

  const drawn = await pacs.answerStudy(classifier, files, { pictures: true });
  assert.equal(drawn.report.uid, plain.report.uid);
  assert.equal(drawn.answer.decision, said.decision);
  const kinds = [drawn.report, ...drawn.pictures].map(async ({ bytes, sopClass, uid }) => {
    const { data } = await parseDicom(bytes, { file: uid });
    assert.deepEqual([data.string("x00080016"), data.string("x00080018")], [sopClass, uid]);
    return data.string("x00080060");
  });
  assert.deepEqual(await Promise.all(kinds), ["SR", "OT"]);

  const refuses = (files: Parameters<typeof pacs.answerStudy>[1], message: RegExp) =>
    assert.rejects(pacs.answerStudy(classifier, files), { name: "DataError", message });
  await refuses(
    [...files, ...sagittal(2)],
    /^Cannot answer a study from these files: they are of 2 studies: answer one after the other$/,
  );
  const none = { name: "a.dcm", bytes: plain.report.bytes };
  await refuses([none], /^Cannot answer a study from these files: no exam .+: .+ holds no pixels/);
  await refuses(
    [...study(1, { "0008,0016 UI": MR_IMAGE })].filter(([name]) => name.startsWith("axial"))
      .map(([name, bytes]) => ({ name, bytes })),
    /: it has no sagittal series, or several of which none was chosen: /,
  );
  const wrong = { picture: true } as unknown as pacs.AnswerOptions;
  await assert.rejects(pacs.answerStudy(classifier, files, wrong), {
    name: "OptionError",
    message: /'picture'.+did you mean 'pictures'\?/,
  });
});
