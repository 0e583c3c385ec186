//! How each client becomes a program that can be run, by its own package manager.

use crate::toolchain::{copy, set_up, sources, step, tool};
use anyhow::Result;
use std::path::PathBuf;
use std::process::Command;

const NODE: [&str; 4] = ["node/package.json", "node/package-lock.json", "node/.npmrc", "node/client.js"];
const GO: [&str; 5] = ["go/go.mod", "go/go.sum", "go/main.go", "go/subjects.go", "go/groups.go"];
const JAVA: [&str; 7] = [
    "java/pom.xml",
    "java/src/main/java/client/Main.java",
    "java/src/main/java/client/Cluster.java",
    "java/src/main/java/client/Groups.java",
    "java/src/main/java/client/Lines.java",
    "java/src/main/java/client/Member.java",
    "java/src/main/java/client/Subjects.java",
];

/// kcat itself: it is installed with the system.
pub(crate) fn kcat() -> Result<Command> {
    Ok(Command::new(tool("kcat", "kcat")?))
}

/// A Python interpreter with both Python clients.
pub(crate) fn interpreter() -> Result<PathBuf> {
    let folder = set_up("python", &["python/requirements.txt"], |folder| {
        let mut create = Command::new(tool("python3", "python3")?);
        create.args(["-m", "venv"]).arg(folder);
        step(create).map_err(|error| error.context("python3 -m venv: install the package python3-venv"))?;
        let mut install = Command::new(folder.join("bin/python"));
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
        install.arg(sources().join("python/requirements.txt"));
        step(install)
    })?;
    Ok(folder.join("bin/python"))
}

/// A program of the folder `python`.
pub(crate) fn python(program: &str) -> Result<Command> {
    let mut command = Command::new(interpreter()?);
    // -B: no compiled files beside the sources.
    command.arg("-B").arg(sources().join("python").join(program));
    Ok(command)
}

/// The kafkajs program.
pub(crate) fn node() -> Result<Command> {
    let node = tool("node", "nodejs")?;
    let folder = set_up("node", &NODE, |folder| {
        copy(&NODE, folder)?;
        let mut install = Command::new(tool("npm", "npm")?);
        install.arg("ci").current_dir(folder);
        step(install)
    })?;
    let mut command = Command::new(node);
    command.arg(folder.join("client.js")).env("KAFKAJS_NO_PARTITIONER_WARNING", "1");
    Ok(command)
}

/// The franz-go program.
pub(crate) fn go() -> Result<Command> {
    let folder = set_up("go", &GO, |folder| {
        let mut build = Command::new(tool("go", "golang-go, 1.26 or newer")?);
        build.args(["build", "-buildvcs=false", "-o"]).arg(folder.join("client")).arg(".");
        step({
            build.current_dir(sources().join("go"));
            build
        })
    })?;
    Ok(Command::new(folder.join("client")))
}

/// The program on Apache Kafka's own client.
pub(crate) fn java() -> Result<Command> {
    let java = tool("java", "openjdk-17-jre-headless")?;
    let folder = set_up("java", &JAVA, |folder| {
        let mut build = Command::new(tool("mvn", "maven")?);
        // Maven builds beside its pom.xml: it works on a copy of the sources.
        let packages = folder.join("src/main/java/client");
        std::fs::create_dir_all(&packages)?;
        copy(&JAVA[..1], folder)?;
        copy(&JAVA[1..], &packages)?;
        tool("javac", "openjdk-17-jdk-headless")?;
        build.args(["--quiet", "--batch-mode", "package"]).current_dir(folder);
        step(build)
    })?;
    let built = folder.join("target");
    let mut command = Command::new(java);
    // Short programs: quick to start matters more than quick to run.
    command.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-cp"]);
    command.arg(format!("{0}/client.jar:{0}/lib/*", built.display())).arg("client.Main");
    Ok(command)
}
