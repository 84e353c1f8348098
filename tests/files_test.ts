import assert from "node:assert/strict";
import { DataError, OutputError, PermissionError } from "../lib/errors.ts";
import {
  baseName,
  fileError,
  folderOf,
  hashFile,
  join,
  makeFolder,
  makeWritableFolder,
  readBytes,
  relativePath,
  writeWhole,
} from "../lib/files.ts";
import { makeRunFolder } from "../lib/logs/run_folder.ts";
import { runScript } from "./support/cli.ts";
import { TemporaryFolder } from "./support/folders.ts";

Deno.test("paths are joined with one slash, whatever the folder ends with", () => {
  const cases: [string[], string][] = [
    [["data", "train", "0000.npy"], "data/train/0000.npy"],
    [["data/", "a"], "data/a"],
    [["data//", "a"], "data/a"],
    [["./data", "a"], "./data/a"],
    [["../data", "a"], "../data/a"],
    [["/", "a"], "/a"],
    [["/data", "a", "b"], "/data/a/b"],
    [[".", "a"], "./a"],
    [["", "a", "b"], "a/b"],
    [["C:\\data", "a"], "C:\\data/a"],
    [["//server/share", "a"], "//server/share/a"],
  ];
  for (const [[folder, ...names], expected] of cases) {
    assert.equal(join(folder, ...names), expected);
  }
});

Deno.test("a path is split into its folder and its last name", () => {
  const cases: [path: string, folder: string, name: string][] = [
    ["data/train/0000.npy", "data/train", "0000.npy"],
    ["0000.npy", ".", "0000.npy"],
    ["data/", ".", "data"],
    ["data/train//", "data", "train"],
    ["/data", "/", "data"],
    ["/", "/", ""],
    ["/data/train-acl.csv", "/data", "train-acl.csv"],
    ["../x", "..", "x"],
    ["C:\\data\\x.npy", "C:\\data", "x.npy"],
    ["C:\\data\\", "C:", "data"],
    ["data\\train/x.npy", "data\\train", "x.npy"],
  ];
  for (const [path, folder, name] of cases) {
    assert.deepEqual([folderOf(path), baseName(path)], [folder, name], path);
  }
});

Deno.test("a refused access is answered with the flag that grants it", () => {
  const hint = (path: string, access: "read" | "write", text = "") => {
    const refusal = new Deno.errors.NotCapable(text);
    const error = fileError(refusal, { what: "open", path, access, error: DataError });
    assert.ok(error instanceof PermissionError);
    const begin = `Cannot open '${path}': Deno has no permission for it: run again with `;
    assert.ok(error.message.startsWith(begin), error.message);
    return error.message.slice(begin.length);
  };
  assert.equal(hint("data", "read"), "--allow-read=data");
  assert.equal(hint("data/train/axial/0000.npy", "read"), "--allow-read=data");
  assert.equal(hint("./data/train-acl.csv", "read"), "--allow-read=data");
  assert.equal(hint("../knees/train-acl.csv", "read"), "--allow-read=../knees");
  assert.equal(hint("../../knees/x/y.npy", "read"), "--allow-read=../../knees");
  assert.equal(hint("../knees", "read"), "--allow-read=../knees");
  assert.equal(hint(".cache/x.npy", "read"), "--allow-read=.cache");
  assert.equal(hint("weights.pth", "read"), "--allow-read=weights.pth");
  assert.equal(hint("/srv/weights.pth", "read"), "--allow-read=/srv/weights.pth");
  assert.equal(hint("/srv/data", "read"), "--allow-read=/srv/data");
  assert.equal(hint("C:\\knees\\x.npy", "read"), "--allow-read=C:\\knees\\x.npy");
  assert.equal(hint("my data/x.npy", "read"), "'--allow-read=my data'");
  // A file is written by way of a neighbour, so its folder is what must be granted.
  assert.equal(hint("model.safetensors", "write"), "--allow-write=.");
  assert.equal(hint("/srv/models/model.safetensors", "write"), "--allow-write=/srv/models");
  assert.equal(hint("models/model.safetensors", "write"), "--allow-write=models");
  assert.equal(hint("logs", "write"), "--allow-write=logs");
  // Renaming reads; the access that was missing is the one to grant.
  const rename = 'Requires read access to "models/x", run again with the --allow-read flag';
  assert.equal(hint("models/x", "write", rename), "--allow-read=models");
});

Deno.test("every failure of the system is one line of plain words", () => {
  const action = { what: "read the labels", path: "x.csv", access: "read" as const };
  const message = (error: unknown, hint?: string) =>
    fileError(error, { ...action, error: DataError, hint }).message;
  const begin = "Cannot read the labels 'x.csv': ";
  const { NotFound, PermissionDenied, NotADirectory, IsADirectory, AlreadyExists } = Deno.errors;
  assert.equal(message(new NotFound()), `${begin}there is no such file or folder`);
  assert.equal(message(new PermissionDenied()), `${begin}the system denies access to it`);
  assert.equal(message(new NotADirectory()), `${begin}part of its path is not a folder`);
  assert.equal(message(new IsADirectory()), `${begin}it is a folder`);
  assert.equal(message(new AlreadyExists()), `${begin}it exists already`);
  assert.equal(message(new Error("two\n  lines")), `${begin}two lines`);
  assert.equal(message("text"), `${begin}text`);
  assert.equal(message(new NotFound(), "look"), `${begin}there is no such file or folder: look`);
});

Deno.test("an error that is already written for the user is passed on as it is", () => {
  const known = new OutputError("Cannot write 'x': the disk is full");
  const action = { what: "write", path: "x", access: "write", error: DataError } as const;
  assert.equal(fileError(known, action), known);
});

Deno.test("a file that cannot be read is an error of the given class", async () => {
  await using folder = await TemporaryFolder.make();
  const path = folder.at("none.csv");
  const action = { what: "read", path, access: "read", error: DataError } as const;
  await assert.rejects(readBytes(action, { most: 9 }), {
    name: "DataError",
    message: `Cannot read '${path}': there is no such file or folder`,
  });
});

Deno.test({
  name: "only plain files of bearable size are read or hashed",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await TemporaryFolder.make();
    await folder.write("long", "x".repeat(10));
    await folder.write("sparse", "");
    await Deno.truncate(folder.at("sparse"), 5 * 1024 ** 3);
    const { success } = await new Deno.Command("mkfifo", { args: [folder.at("pipe")] }).output();
    assert.ok(success);
    const action = { what: "read", access: "read", error: DataError, hint: "look" } as const;
    assert.equal(
      (await readBytes({ ...action, path: folder.at("long") }, { most: 10 })).length,
      10,
    );
    const refused = (path: string, found: string, hint = "look") => ({
      name: "DataError",
      message: `Cannot read '${path}': ${found}: ${hint}`,
    });
    const long = folder.at("long");
    await assert.rejects(
      readBytes({ ...action, path: long }, { most: 9, hint: "give another" }),
      refused(long, "it is 10 bytes long, allowed are 9", "give another"),
    );
    const sparse = folder.at("sparse");
    await assert.rejects(
      hashFile({ ...action, path: sparse }),
      refused(sparse, `it is ${5 * 1024 ** 3} bytes long, allowed are ${4 * 1024 ** 3}`),
    );
    for (const path of [folder.at("pipe"), "/dev/zero"]) {
      const found = refused(path, "it is not a plain file");
      await assert.rejects(readBytes({ ...action, path }, { most: 9 }), found);
      await assert.rejects(hashFile({ ...action, path }), found);
    }
  },
});

const HINT = "check that the folder can be written and the disk has room";

Deno.test("a file is written whole: text, bytes, parts, or nothing at all", async () => {
  await using folder = await TemporaryFolder.make();
  const path = folder.at("file");
  await writeWhole(path, "grün\n");
  assert.equal(await Deno.readTextFile(path), "grün\n");
  await writeWhole(path, Uint8Array.of(1, 2));
  assert.deepEqual([...await Deno.readFile(path)], [1, 2]);
  await writeWhole(path, [Uint8Array.of(3), Uint8Array.of(), Uint8Array.of(4, 5)]);
  assert.deepEqual([...await Deno.readFile(path)], [3, 4, 5]);
  await writeWhole(path, "");
  assert.equal((await Deno.stat(path)).size, 0);
  assert.deepEqual(await folder.files(), ["file"]);
});

Deno.test("where writing fails the old file stays and nothing is left beside it", async () => {
  await using folder = await TemporaryFolder.make();
  await folder.write("file", "old");
  function* breaking(): Generator<Uint8Array> {
    yield Uint8Array.of(1, 2, 3);
    throw new Error("the source broke off");
  }
  await assert.rejects(writeWhole(folder.at("file"), breaking()), {
    name: "OutputError",
    message: `Cannot write '${folder.at("file")}': the source broke off: ${HINT}`,
  });
  assert.equal(await folder.text("file"), "old");
  // The bytes are on the disk when the name turns out to be taken by a folder.
  await Deno.mkdir(folder.at("folder"));
  await assert.rejects(writeWhole(folder.at("folder"), "new"), { name: "OutputError" });
  await assert.rejects(writeWhole(folder.at("none", "file"), "new"), {
    name: "OutputError",
    message: /there is no such file or folder/,
  });
  await assert.rejects(writeWhole(folder.at("file", "file"), "new"), {
    name: "OutputError",
    message: /part of its path is not a folder/,
  });
  assert.deepEqual(await folder.files(), ["file"]);
});

Deno.test("a new name reaches the disk before anything it replaces may go", async () => {
  await using folder = await TemporaryFolder.make();
  const { open } = Deno;
  const synced: string[] = [];
  Deno.open = async (path, options) => {
    const file = await open(path, options);
    const { sync } = file;
    file.sync = async () => {
      await sync.call(file);
      const here = String(path) === folder.path;
      // Of the folder it is asked for when the name is there.
      synced.push(here ? (await folder.files()).join() : "file");
    };
    return file;
  };
  const path = folder.at("a.txt");
  try {
    await writeWhole(path, "one");
    await writeWhole(folder.at("b.txt"), "two", { replace: () => Promise.resolve(false) });
  } finally {
    Deno.open = open;
  }
  assert.deepEqual(synced, ["file", "a.txt", "file", "a.txt,b.txt"]);
  // Where a folder cannot be opened, the file is there all the same.
  Deno.open = (path, options) =>
    String(path) === folder.path ? Promise.reject(new Error("no")) : open(path, options);
  try {
    await writeWhole(path, "three");
  } finally {
    Deno.open = open;
  }
  assert.equal(await folder.text("a.txt"), "three");
});

Deno.test("the names of new folders reach the disk too, from the outside in", async () => {
  await using folder = await TemporaryFolder.make();
  const { open } = Deno;
  const synced: string[] = [];
  Deno.open = async (path, options) => {
    const file = await open(path, options);
    const { sync } = file;
    file.sync = async () => {
      await sync.call(file);
      synced.push(String(path).slice(folder.path.length));
    };
    return file;
  };
  try {
    await makeFolder(folder.at("a", "b"));
    assert.deepEqual(synced.splice(0), ["", "/a"]);
    await makeFolder(folder.at("a", "b"));
    assert.deepEqual(synced.splice(0), []);
    await makeRunFolder(folder.at("logs"), "acl", "axial");
    assert.deepEqual(synced.splice(0), ["", "/logs", "/logs/acl", "/logs/acl/axial"]);
  } finally {
    Deno.open = open;
  }
});

Deno.test("of many writers one wins, and what it wrote is whole", async () => {
  await using folder = await TemporaryFolder.make();
  const path = folder.at("file");
  const contents = Array.from({ length: 12 }, (_, i) => `${i}`.repeat(50_000));
  await Promise.all(contents.map((content) => writeWhole(path, content)));
  assert.ok(contents.includes(await Deno.readTextFile(path)));
  assert.deepEqual(await folder.files(), ["file"]);
});

Deno.test("a folder is made with those above it; a file of its name is refused", async () => {
  await using folder = await TemporaryFolder.make();
  await makeFolder(folder.at("a", "b"));
  await makeFolder(folder.at("a", "b"));
  assert.ok((await Deno.stat(folder.at("a", "b"))).isDirectory);
  await folder.write("file", "");
  await assert.rejects(makeFolder(folder.at("file")), {
    name: "OutputError",
    message: `Cannot make the folder '${folder.at("file")}': it exists already: ` +
      "move the file of that name, or choose another folder",
  });
  await assert.rejects(makeFolder(folder.at("file", "below")), { name: "OutputError" });
});

Deno.test("a folder that is to be written is tried out, and nothing stays in it", async () => {
  await using folder = await TemporaryFolder.make();
  await Promise.all([1, 2, 3].map(() => makeWritableFolder(folder.at("models"))));
  assert.deepEqual(await folder.files(), []);
  assert.ok((await Deno.stat(folder.at("models"))).isDirectory);
});

Deno.test("a folder that Deno may not write or read is refused though it is there", async () => {
  await using folder = await TemporaryFolder.make();
  await Deno.mkdir(folder.at("models"));
  const files = new URL("../lib/files.ts", import.meta.url).href;
  await folder.write(
    "script.ts",
    `import { makeWritableFolder } from ${JSON.stringify(files)};
     try { await makeWritableFolder("models"); } catch (error) { console.log(error.message); }`,
  );
  const run = async (...flags: string[]) =>
    (await runScript(folder, "script.ts", flags)).out.trim();
  const refusal = "Deno has no permission for it: run again with";
  assert.equal(
    await run("--allow-read=models"),
    `Cannot make the folder 'models': ${refusal} --allow-write=models`,
  );
  assert.equal(
    await run("--allow-write=models"),
    `Cannot write to the folder 'models': ${refusal} --allow-read=models`,
  );
  assert.equal(await run("--allow-read=models", "--allow-write=models"), "");
});

Deno.test("no folder is looked at that nobody has granted, so that nobody is asked", async () => {
  await using folder = await TemporaryFolder.make();
  const files = new URL("../lib/files.ts", import.meta.url).href;
  await folder.write(
    "script.ts",
    `import { makeWritableFolder, writeWhole } from ${JSON.stringify(files)};
     const refused = [];
     for (const name of ["open", "stat", "lstat", "mkdir", "readDir"]) {
       const call = Deno[name];
       Deno[name] = (path, ...more) => {
         if (!/^models/.test(path)) refused.push(name + " " + path);
         return call(path, ...more);
       };
     }
     await makeWritableFolder("models/new/er");
     await writeWhole("models/new/a", "x");
     console.log(JSON.stringify(refused));`,
  );
  const granted = ["--allow-read=models", "--allow-write=models"];
  const { out, err } = await runScript(folder, "script.ts", granted);
  assert.equal(out, "[]\n", err);
});

Deno.test("a file's path from a folder", () => {
  for (
    const [folder, file, expected] of [
      ["models", "models/a.pth", "a.pth"],
      [".", "models/a.pth", "models/a.pth"],
      ["models", "a.pth", "../a.pth"],
      ["./out/x/", "models//a.pth", "../../models/a.pth"],
      ["/srv/models", "/srv/models/old/../a.pth", "a.pth"],
      ["models", "/srv/a.pth", "/srv/a.pth"],
      ["../one", "../two/a.pth", "../two/a.pth"],
    ]
  ) assert.equal(relativePath(folder, file), expected);
  for (const [folder, file] of [["/srv", "a.pth"], ["../one", "a.pth"]]) {
    assert.throws(() => relativePath(folder, file), {
      name: "OptionError",
      message: `Cannot say how 'a.pth' is reached from '${folder}': ` +
        "keep the two together, or give both paths from the root",
    });
  }
});

Deno.test("a name that somebody has is taken only where that is allowed", async () => {
  await using folder = await TemporaryFolder.make();
  const path = folder.at("file");
  const asked: boolean[] = [];
  const replace = (answer: boolean) => () => {
    asked.push(answer);
    return Promise.resolve(answer);
  };
  assert.equal(await writeWhole(path, "first", { replace: replace(false) }), true);
  assert.deepEqual(asked, [], "nobody had it");
  assert.equal(await writeWhole(path, "second", { replace: replace(false) }), false);
  assert.equal(await folder.text("file"), "first");
  assert.equal(await writeWhole(path, "third", { replace: replace(true) }), true);
  assert.equal(await folder.text("file"), "third");
  assert.deepEqual(await folder.files(), ["file"]);
  // Of many that begin when nobody has it, one gets it.
  const made = await Promise.all(
    Array.from(
      { length: 8 },
      (_, at) => writeWhole(folder.at("other"), `${at}`, { replace: replace(false) }),
    ),
  );
  assert.equal(made.filter((each) => each).length, 1);
  assert.equal(await folder.text("other"), `${made.indexOf(true)}`);
  assert.deepEqual(await folder.files(), ["file", "other"]);
});

Deno.test("where the file system has no second names, nobody's file is replaced either", async () => {
  await using folder = await TemporaryFolder.make();
  const path = folder.at("model");
  const replace = () => Promise.resolve(false);
  const { link, rename } = Deno;
  try {
    // Somebody takes the name at the last moment.
    Deno.link = async () => {
      await Deno.writeTextFile(path, "another run's");
      throw new Error("Operation not permitted (os error 1)");
    };
    assert.equal(await writeWhole(path, "mine", { replace }), false);
    assert.equal(await folder.text("model"), "another run's");
    assert.deepEqual(await folder.files(), ["model"]);
    Deno.link = () => Promise.reject(new Deno.errors.NotSupported("no links"));
    assert.equal(await writeWhole(folder.at("new"), "mine", { replace }), true);
    assert.equal(await folder.text("new"), "mine");
    const made = await Promise.all(
      Array.from({ length: 8 }, (_, at) => writeWhole(folder.at("other"), `${at}`, { replace })),
    );
    assert.equal(made.filter((each) => each).length, 1);
    assert.equal(await folder.text("other"), `${made.indexOf(true)}`);
    // What was made to take the name goes where the file cannot be put in its place.
    Deno.rename = () => Promise.reject(new Error("no room"));
    await assert.rejects(writeWhole(folder.at("last"), "mine", { replace }), /no room/);
    assert.deepEqual(await folder.files(), ["model", "new", "other"]);
  } finally {
    Object.assign(Deno, { link, rename });
  }
});

Deno.test("a file is known by its SHA-256", async () => {
  await using folder = await TemporaryFolder.make();
  await folder.write("abc", "abc");
  const action = { what: "read", access: "read", error: DataError } as const;
  assert.equal(
    await hashFile({ ...action, path: folder.at("abc") }),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
  await assert.rejects(hashFile({ ...action, path: folder.at("none") }), DataError);
});
