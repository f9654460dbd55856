//! `sekisho erase`: a person is forgotten for good.

use std::io::{BufRead as _, IsTerminal as _};
use std::process::ExitCode;

use clap::Args;
use commands::user;
use domain::value::{DisplayName, Position, UserId};

use super::opened::{OpenError, Opened};
use super::operator::{self, OperatorError};
use super::{checked, complain, say};
use crate::config::{Deployment, DeploymentOptions};

/// Whom, and why.
#[derive(Debug, Args)]
pub(super) struct Erase {
    /// The user's id
    #[arg(long, value_name = "ID", value_parser = UserId::parse)]
    user: UserId,

    /// Why, for the audit; the log keeps it in clear for ever, so write nothing about the person
    #[arg(long, value_name = "TEXT", value_parser = DisplayName::parse)]
    reason: DisplayName,

    /// Do not ask
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    options: DeploymentOptions,
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Order(#[from] OperatorError),
}

const WHAT_HAPPENS: &str = "Their name, e-mail address and picture can never be read again: the key under which every event holds them is destroyed.
Their e-mail address is free, their API keys open nothing any more, and they leave their teams and the administration.
What they did stays in the log, under their id. Nothing undoes this; backups made before still hold the key until they are gone.";

impl Erase {
    pub(super) async fn run(self) -> ExitCode {
        let deployment = match checked(self.options.check()) {
            Ok(deployment) => deployment,
            Err(code) => return code,
        };
        if !self.yes
            && let Err(why) = self.confirmed()
        {
            complain(&why);
            return ExitCode::from(2);
        }
        match self.work(&deployment).await {
            Ok(position) => {
                say(&format!(
                    "user {} is erased; whoever has read the log up to {position} shows it",
                    self.user
                ));
                ExitCode::SUCCESS
            }
            Err(error) => {
                complain(&error.to_string());
                ExitCode::FAILURE
            }
        }
    }

    /// Asks whoever sits at a terminal.
    fn confirmed(&self) -> Result<(), String> {
        if !std::io::stdin().is_terminal() {
            return Err("nobody is there to be asked: say --yes to erase without a question".to_owned());
        }
        say(&format!(
            "User {} will be erased.\n{WHAT_HAPPENS}\nType the id of the user to go on:",
            self.user
        ));
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        match (read, UserId::parse(line.trim())) {
            (Ok(_), Ok(typed)) if typed == self.user => Ok(()),
            (Ok(_) | Err(_), _) => Err("that is not the id; nothing was done".to_owned()),
        }
    }

    async fn work(&self, deployment: &Deployment) -> Result<Position, Failed> {
        let opened = Opened::of(&deployment.place).await?;
        let erased = self.erase(deployment, &opened).await;
        opened.close().await;
        Ok(erased?)
    }

    async fn erase(&self, deployment: &Deployment, opened: &Opened) -> Result<Position, OperatorError> {
        let erase = user::Erase { user: self.user, reason: self.reason.clone() };
        let position = operator::order(deployment, opened, format!("erase:{}", self.user), &erase).await?;
        operator::fold_up_to(deployment, opened, "directory", position).await?;
        Ok(position)
    }
}
